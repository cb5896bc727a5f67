"""Tables and lists as text, line by line, wherever they lie."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import IO

from gallery.errors import InvalidSource, SourceUnavailable
from gallery.sources.local import FILE_SCHEME, path_of_url
from gallery.sources.storage import file_system, protocol_of, reading
from gallery.web.fetching import Fetcher
from gallery.web.urls import is_web, shown

MAX_FETCHED = 256 * 2**20
"""Bytes of a table that is fetched from the web, which is held in memory."""


@contextmanager
def opened(uri: str, fetcher: Fetcher) -> Iterator[IO[bytes]]:
    """The file at a path or URI, to be read from its beginning or anywhere.

    Raises SourceUnavailable if it cannot be opened, InvalidSource and FetchRefused.
    """
    protocol = protocol_of(uri)
    if is_web(uri):
        fetched = fetcher.fetch(uri, max_bytes=MAX_FETCHED)
        assert fetched is not None, "no version was named that it could still be"
        yield BytesIO(fetched.data)
    elif protocol is None or protocol == FILE_SCHEME:
        path = path_of_url(uri) if protocol else uri
        try:
            file = open(path, "rb")  # noqa: PTH123, SIM115 - closed below; opening alone is what may fail
        except OSError as error:
            raise SourceUnavailable(f"{path} cannot be read: {error.strerror or error}.") from error
        with file:
            yield file
    else:
        storage, path = file_system(uri)
        with reading(uri):
            remote = storage.open(path, "rb")
        with remote:
            yield remote


def lines(file: IO[bytes], uri: str) -> Iterator[str]:
    """The lines as text with their ends, without a byte order mark; InvalidSource for one not in UTF-8."""
    for number, line in enumerate(file, start=1):
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise InvalidSource(
                f"{shown(uri)}, line {number}: byte {error.start + 1} is no UTF-8; save it as UTF-8."
            ) from None
        if "\0" in text:
            raise InvalidSource(f"{shown(uri)}, line {number}: it holds a NUL, which is in no text.")
        yield text


def name_of(uri: str) -> str:
    """The last part of a path or URI, without a query."""
    return os.path.basename(uri.partition("?")[0] if is_web(uri) else uri)  # noqa: PTH119 - may be a URI
