"""What a table or a list calls a file, and what that means where the table lies."""

import os
import posixpath
from collections.abc import Mapping

from gallery.errors import InvalidSource
from gallery.filters.attributes import is_storable
from gallery.sources.found import ListedFile
from gallery.sources.local import FILE_SCHEME, folder_name, local_file, path_of_url
from gallery.sources.opening import RemoteFile, WebFile
from gallery.sources.storage import CHAIN, PROTOCOLS, protocol_of
from gallery.web.urls import is_web, joined, shown, web_url


def referred(
    reference: str,
    *,
    base: str,
    label: str | None = None,
    is_labelled: bool = False,
    attributes: Mapping[str, str] | None = None,
) -> ListedFile:
    """The file that is meant by a path or a URI that stands in the file `base`, itself a path or a URI.

    A relative one is relative to `base`. Unless the label `is_labelled` by somebody, it is the name of the
    folder that the file lies in; files of the web have none then. Raises InvalidSource for storage that is
    not read, for a file of this machine that a table from elsewhere names, and for a name that no database
    keeps; FetchRefused for no URL.
    """
    if not is_storable(reference):
        raise InvalidSource(f"{reference!r} is no name: it holds a NUL or half a surrogate pair.")
    attributes = attributes or {}
    uri = _absolute(reference, base)
    protocol = protocol_of(uri)
    if protocol is None or protocol == FILE_SCHEME:
        if protocol_of(base) not in {None, FILE_SCHEME}:
            raise InvalidSource(
                f"{shown(base)} lies elsewhere and may not name the file {uri} of this machine."
            )
        path = uri if protocol is None else path_of_url(uri)
        return local_file(path, label=label if is_labelled else folder_name(path), attributes=attributes)
    if is_web(uri):
        web_url(uri)  # refuses what is none
        return ListedFile(uri, WebFile(uri), label if is_labelled else None, attributes)
    if protocol not in PROTOCOLS or CHAIN in uri:
        raise InvalidSource(f"{shown(uri)} is in no storage that is read.")
    uri = f"{protocol}://{uri.partition('://')[2].lstrip('/')}"
    folder = posixpath.basename(posixpath.dirname(uri.partition("://")[2])) or None
    return ListedFile(uri, RemoteFile(uri), label if is_labelled else folder, attributes)


def _absolute(reference: str, base: str) -> str:
    if protocol_of(reference) is not None:
        return reference
    if is_web(base):
        return joined(base, reference)
    if protocol_of(base) in {None, FILE_SCHEME}:
        at = path_of_url(base) if protocol_of(base) else base
        return os.path.join(os.path.dirname(at), reference)  # noqa: PTH118, PTH120 - may be no UTF-8
    if reference.startswith("/"):
        raise InvalidSource(
            f"{shown(base)} lies elsewhere and may not name the file {reference} of this machine."
        )
    protocol, _, path = base.partition("://")
    return f"{protocol}://{posixpath.normpath(posixpath.join(posixpath.dirname(path), reference))}"
