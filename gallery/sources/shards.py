"""WebDataset shards: tar files in which the files of one image share their name up to its first dot.

`000001.jpg`, `000001.cls`, `000001.txt` and `000001.json` follow each other: the picture, its label, a text
and attributes. A picture is read from where it lies in the shard; nothing is unpacked.
"""

import io
import json
import os
import posixpath
import tarfile
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import IO, Any

from gallery.errors import InvalidSource
from gallery.filters.attributes import MAX_COLUMNS, MAX_NAME, attributes_of, is_storable, text_of
from gallery.filters.conditions import LABEL
from gallery.sources.found import ListedFile
from gallery.sources.opening import Faulty, LocalFile, RemoteFile, ShardMember
from gallery.sources.texts import name_of
from gallery.web.urls import shown

MAX_SIBLING = 2**20
"""Bytes of what is said of one picture."""

MAX_HEADER = 2**16
"""Bytes of a long name, or of other things that stand before a member or hold for all that follow."""

COMPRESSED = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")

ENDING = ".tar"

MARK = "#"
"""Stands between the shard's uri and the member's name."""

_LABELS = ("cls", "label")
_TEXTS = ("txt", "text", "caption")
_TOLD = (*_LABELS, *_TEXTS, "json")


def is_shard(uri: str) -> bool:
    """Whether it is named like a shard."""
    return name_of(uri).lower().endswith(ENDING)


def is_in_shard(uri: str) -> bool:
    """Whether it names a member of a shard, and so no file of its own."""
    return f"{ENDING}{MARK}" in uri.lower()


def refuse_compressed(uri: str) -> None:
    """Raise InvalidSource where the name is that of a compressed tar file: nothing in one has a place."""
    if name_of(uri).lower().endswith(COMPRESSED):
        raise InvalidSource(f"{shown(uri)} is a compressed shard; unpack it to a .tar file.")


def read_shard(
    file: IO[bytes], uri: str, shard: LocalFile | RemoteFile, version: str | None
) -> Iterator[ListedFile]:
    """The pictures of a shard, which is at `uri` and open for reading, in their order in it.

    What is neither a picture's text nor its label is taken for a picture; whoever reads it will see. Where
    what is said of a picture is nonsense, reading the picture says so. Raises InvalidSource for what is no
    tar file, or ends too early.
    """
    try:
        with tarfile.open(fileobj=_Headers(file), mode="r:") as tar:
            for key, members in groupby(
                filter(_is_plain, _forwards(tar)), key=lambda member: _key(member.name)
            ):
                yield from _found(file, list(members), key, uri, shard, version)
                tar.members.clear()  # type: ignore[attr-defined]  # else it holds all that it has read
    except (tarfile.TarError, EOFError, ValueError, OverflowError, RecursionError) as error:
        raise InvalidSource(f"{shown(uri)} is no uncompressed tar file, or is cut off ({error}).") from error


class _Headers(io.RawIOBase):
    """The file as tarfile reads it, which takes what stands before a member into memory whole."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= MAX_HEADER:
            raise tarfile.ReadError(f"a header of {size:,} bytes, and {MAX_HEADER:,} are allowed")
        return self._file.read(size)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


def _found(
    file: IO[bytes],
    members: list[tarfile.TarInfo],
    key: str,
    uri: str,
    shard: LocalFile | RemoteFile,
    version: str | None,
) -> Iterator[ListedFile]:
    told = {_extension(member.name): member for member in members if _extension(member.name) in _TOLD}
    pictures = [member for member in members if _extension(member.name) not in _TOLD]
    if not pictures:
        return
    fault = None
    label, attributes = None, dict[str, str]()
    try:
        label, attributes = _said(file, told)
    except InvalidSource as error:
        fault = Faulty(str(error))
    if label is None:
        label = posixpath.basename(posixpath.dirname(key)) or None
    for member in pictures:
        stamp = None if version is None else f"{version}:{member.offset_data}:{member.size}"
        where = fault or ShardMember(shard, member.offset_data, member.size)
        yield ListedFile(f"{uri}{MARK}{_name(member)}", where, label, attributes, member.size, stamp)


def _said(file: IO[bytes], told: Mapping[str, tarfile.TarInfo]) -> tuple[str | None, dict[str, str]]:
    """The label and the attributes; raises InvalidSource, naming the member."""
    attributes = _attributes(file, told)
    label = attributes.pop(LABEL, None)
    for extension in _LABELS:
        if extension in told:
            label = text_of(_text(file, told[extension]))
    return label, attributes


def _attributes(file: IO[bytes], told: Mapping[str, tarfile.TarInfo]) -> dict[str, str]:
    cells: dict[str, Any] = {}
    for extension in _TEXTS:
        if extension in told:
            cells[extension] = _text(file, told[extension])
    if "json" in told:
        cells |= _json(_text(file, told["json"]), _name(told["json"]))
    named = {name: value for name, value in cells.items() if 0 < len(name) <= MAX_NAME and is_storable(name)}
    if len(named) > MAX_COLUMNS:
        where = _name(told["json"])
        raise InvalidSource(f"{where}: it says {len(named)} things, and {MAX_COLUMNS} are allowed.")
    return attributes_of(named)


def _json(text: str, where: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidSource(f"{where}: it is no JSON ({error}).") from None
    if not isinstance(found, dict):
        raise InvalidSource(f"{where}: it is no JSON object, but {type(found).__name__}.")
    return found


def _text(file: IO[bytes], member: tarfile.TarInfo) -> str:
    if member.size > MAX_SIBLING:
        raise InvalidSource(f"{_name(member)} has {member.size:,} bytes; a text has at most {MAX_SIBLING:,}.")
    file.seek(member.offset_data)
    data = file.read(member.size)
    if len(data) < member.size:
        raise tarfile.ReadError("unexpected end of data")
    return data.decode("utf-8", "replace")


def _forwards(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The members, each behind the one before: a size below 0 would lead back, and round for ever.

    What is said of all members at once is bounded, too, however many headers say it.
    """
    for member in tar:
        if member.size < 0:
            raise tarfile.ReadError(f"{_name(member)} has a size of {member.size} bytes")
        if sum(len(name) + len(value) for name, value in tar.pax_headers.items()) > MAX_HEADER:
            raise tarfile.ReadError(f"headers of more than {MAX_HEADER:,} bytes for all members")
        yield member


def _is_plain(member: tarfile.TarInfo) -> bool:
    """Whether its bytes lie in the shard as they are; folders, links and sparse files are left out."""
    return member.isreg() and not member.issparse() and not posixpath.basename(member.name).startswith(".")


def _key(name: str) -> str:
    folder, base = posixpath.split(name)
    return posixpath.join(folder, base.partition(".")[0])


def _extension(name: str) -> str:
    """All behind the first dot of the base name, in small letters; of several the last one tells the kind."""
    return posixpath.basename(name).partition(".")[2].lower().rpartition(".")[2]


def _name(member: tarfile.TarInfo) -> str:
    name = member.name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return name.replace("\0", "\\x00")
