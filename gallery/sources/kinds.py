"""What a source is, and the files that it names."""

import glob
import os
import posixpath
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from gallery.errors import InvalidSource, SourceUnavailable
from gallery.sources.found import ListedFile
from gallery.sources.lists import is_list, read_list
from gallery.sources.local import FILE_SCHEME, path_of_url, size_and_version
from gallery.sources.opening import LocalFile, RemoteFile
from gallery.sources.patterns import Pattern
from gallery.sources.references import referred
from gallery.sources.roots import as_text
from gallery.sources.shards import is_shard, read_shard, refuse_compressed
from gallery.sources.source import NamedSource
from gallery.sources.storage import file_system, protocol_of, reading, version_of
from gallery.sources.tables import is_table, read_table
from gallery.sources.texts import opened
from gallery.web.fetching import Fetcher
from gallery.web.urls import is_web, shown, web_url


def source_of(text: str) -> NamedSource:
    """The source that a person names by a path or a URI, which need not be there.

    Raises InvalidSource for storage that is not read and for a compressed shard, FetchRefused for a URL of
    the web that is none.
    """
    protocol = protocol_of(text)
    uri = path_of_url(text) if protocol == FILE_SCHEME else text
    if protocol is None or protocol == FILE_SCHEME:
        uri = as_text(os.path.abspath(uri))  # noqa: PTH100 - `resolve` would follow links and rename the places
    if not (is_local(uri) and Path(uri).is_dir()):
        for kind, is_one in (("table", is_table), ("list", is_list), ("shard", is_shard)):
            if is_one(uri):
                return NamedSource(kind, uri)  # type: ignore[arg-type]  # mypy widens the literals of a tuple
        refuse_compressed(uri)
    if is_local(uri):
        return NamedSource("folder", uri)
    if is_web(uri):
        web_url(uri)
        return NamedSource("web", uri)
    file_system(uri)
    return NamedSource("storage", uri)


def is_local(uri: str) -> bool:
    """Whether the uri is a path of this machine."""
    return protocol_of(uri) is None


def read_source(source: NamedSource, fetcher: Fetcher) -> Iterator[ListedFile]:
    """The files that a source other than a folder names, in its own order; one of them may be named twice.

    Raises SourceUnavailable if it cannot be read, InvalidSource if it is not what its name says.
    """
    match source.kind:
        case "table":
            with opened(source.uri, fetcher) as file:
                yield from read_table(file, source.uri)
        case "list":
            with opened(source.uri, fetcher) as file:
                yield from read_list(file, source.uri)
        case "shard":
            yield from _shard(source.uri, fetcher)
        case "storage":
            yield from _storage(source.uri, fetcher)
        case "web":
            yield referred(source.uri, base=source.uri)
        case "folder":
            raise ValueError(f"{source.uri} is a folder; scan it.")


def _shard(uri: str, fetcher: Fetcher) -> Iterator[ListedFile]:
    if is_web(uri):
        raise InvalidSource(f"{shown(uri)} is a shard of the web; download it, and index the file.")
    with opened(uri, fetcher) as file:
        if is_local(uri):
            yield from read_shard(file, uri, LocalFile(uri), size_and_version(uri)[1])
            return
        storage, path = file_system(uri)
        with reading(uri):
            version = version_of(storage.info(path))
        yield from read_shard(file, uri, RemoteFile(uri), version)


def _storage(uri: str, fetcher: Fetcher) -> Iterator[ListedFile]:
    """One file, all below a folder, or all that a pattern matches; shards among them are looked into."""
    storage, path = file_system(uri)
    count = 0
    with reading(uri):
        for found, details in _listed(storage, path):
            count += 1
            each = f"{protocol_of(uri)}://{found.lstrip('/')}"
            if is_shard(each):
                yield from _shard(each, fetcher)
            else:
                folder = posixpath.basename(posixpath.dirname(found)) or None
                size, version = details.get("size"), version_of(details)
                yield ListedFile(each, RemoteFile(each), folder, {}, size, version)
    if not count:
        raise SourceUnavailable(
            f"{shown(uri)} is no file, no folder with files and no pattern that matches any."
        )


def _listed(storage: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if glob.has_magic(path):
        pattern = Pattern(path)
        below = _below(storage, pattern.folder, enters=pattern.leads_to)
        yield from ((name, details) for name, details in below if pattern.matches(name))
    elif storage.isfile(path):
        yield path, storage.info(path)
    else:
        yield from _below(storage, path)


def _below(
    storage: Any, folder: str, *, enters: Callable[[str], bool] = lambda _: True
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The files below a folder, none where it is not there; only folders that it `enters` are listed.

    fsspec's own walk leaves out a folder that cannot be listed: its images would look as if removed.
    """
    try:
        listed = storage.ls(folder, detail=True)
    except FileNotFoundError:
        return
    for details in sorted(listed, key=lambda each: str(each["name"])):
        path = details["name"].rstrip("/")
        if path.strip("/") == folder.strip("/"):  # some storage lists the folder in itself
            continue
        if details["type"] == "directory":
            if enters(path):
                yield from _below(storage, path, enters=enters)
        elif not posixpath.basename(path).startswith("."):
            yield details["name"], details
