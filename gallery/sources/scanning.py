"""Which files lie below the given roots, and what their bytes are called."""

import errno
import hashlib
import heapq
import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from gallery.errors import OriginalUnavailable, SourceUnavailable
from gallery.sources.roots import as_text, distinct, is_present, root_uri
from gallery.sources.source import Kind, UnlistedFolder

UNSETTLED_NS = 3_000_000_000
"""A file that was written less than 3 s ago may be written again within the same tick of its time, which is
2 s long on FAT and some network drives."""

_BROKEN_LINK = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}


@dataclass(frozen=True, slots=True)
class ScannedFile:
    """A file as it was found: `path` opens it, the rest is text that any database can keep.

    `uri` is its absolute path, `relative` its posix path below `root`, `label` its parent folder's name.
    Bytes of a name that are not UTF-8 are shown as \\xNN in the text. `size` and `version` (its modification
    time) are a SourceFile's.
    """

    path: Path
    root: Path
    uri: str
    relative: str
    label: str
    size: int | None = field(default=None, compare=False)
    version: str | None = field(default=None, compare=False)

    @property
    def attributes(self) -> Mapping[str, str]:
        """None: a folder says nothing of a file but its label."""
        return {}

    def read(self, *, most: int) -> bytes:
        """Its bytes, at most one more than `most`. Raises OriginalUnavailable with the reason."""
        try:
            if not stat.S_ISREG(self.path.stat().st_mode):
                raise OriginalUnavailable("it is not a regular file")
            with self.path.open("rb") as file:
                return file.read(most + 1)
        except FileNotFoundError as error:
            raise OriginalUnavailable("the file is not there") from error
        except (OSError, ValueError) as error:
            told = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise OriginalUnavailable(f"the file cannot be read ({told})") from error


@dataclass(frozen=True, slots=True)
class FolderSource:
    """A root that is a folder or a single file, as a Source; the root is absolute."""

    root: Path
    is_listing: bool = False
    kind: Kind = "folder"
    uri: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "uri", root_uri(self.root))  # once: it is asked for with every file

    def files(self, *, leave_out: Callable[[UnlistedFolder], None]) -> Iterator[ScannedFile]:
        """Every file below the root; raises SourceUnavailable if it cannot be listed."""
        if not is_present(self.root):
            return
        is_file = self.root.is_file()
        if not is_file:
            _require_listable(self.root)
        base = as_text(self.root.parent if is_file else self.root).rstrip(os.sep) + os.sep
        for path, uri, status in _files(self.root, frozenset(), leave_out):
            yield ScannedFile(
                path=path,
                root=self.root,
                uri=uri,
                relative=uri[len(base) :].replace(os.sep, "/"),
                label=uri.rpartition(os.sep)[0].rpartition(os.sep)[2],
                size=None if status is None else status.st_size,
                version=None if status is None else settled_version(status),
            )


def _refuse(folder: UnlistedFolder) -> None:
    raise SourceUnavailable(f"{folder.uri} is no whole source: {folder.reason}.")


def checksum(data: bytes) -> str:
    """The name of a content: SHA-256 of its bytes, 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def scan(
    roots: Sequence[Path], *, leave_out: Callable[[UnlistedFolder], None] = _refuse
) -> Iterator[ScannedFile]:
    """Every file below the roots, recursively, each path once, root by root in the order of their uris.

    Files and folders whose name begins with a dot are left out; links are followed, loops of them safely.
    A root may be a single file. Whatever is not a folder is given, so that the reader can report broken
    links and devices with a reason. A place is named as the caller named it: roots are made absolute, their
    links not resolved; yet a root that lies below another one is part of that one, links resolved.
    Raises SourceUnavailable if a root is missing or cannot be listed. Any other folder that cannot be is
    told to `leave_out`, which refuses it unless given: left out silently it would look like the end of
    everything in it.
    """
    for root in distinct(roots):
        yield from FolderSource(root).files(leave_out=leave_out)


def _require_listable(root: Path) -> None:
    try:
        with os.scandir(root):
            pass
    except OSError as error:
        raise SourceUnavailable(f"{root} cannot be listed: {error.strerror or error}.") from error


_Found = tuple[Path, str, os.stat_result | None]


def _files(
    path: Path, above: frozenset[tuple[int, int]], leave_out: Callable[[UnlistedFolder], None]
) -> Iterator[_Found]:
    """The file itself, or what lies in the folder: path, uri, and status unless it is a broken link."""
    try:
        status = _status(path)
        if status is None or not stat.S_ISDIR(status.st_mode):
            yield path, as_text(path), status
            return
        names = _names(path)
    except OSError as error:
        leave_out(UnlistedFolder(as_text(path), f"it cannot be listed ({error.strerror or error})"))
        return
    identity = (status.st_dev, status.st_ino)
    if identity in above:
        return  # a link that leads back into a folder that it lies in
    below = as_text(path).rstrip(os.sep) + os.sep
    for key, group in groupby(names, key=itemgetter(0)):
        paths = [path / name for _, name in group]
        if not key.endswith(os.sep) and (told := _plain(paths[0])) is not None and len(paths) == 1:
            yield paths[0], below + key, told
            continue
        parts = [_files(each, above | {identity}, leave_out) for each in paths]
        # Several have one key only if their names are one when written as UTF-8.
        yield from parts[0] if len(parts) == 1 else heapq.merge(*parts, key=itemgetter(1))


def _plain(path: Path) -> os.stat_result | None:
    """The status of a file, which is most of what there is; None where `_files` must look closer."""
    try:
        status = os.stat(path)  # noqa: PTH116 - as in `_status`
    except OSError:
        return None
    return None if stat.S_ISDIR(status.st_mode) else status


def _names(folder: Path) -> list[tuple[str, str]]:
    """What is not hidden in a folder, under keys that put files and all below folders in order of uris."""
    with os.scandir(folder) as listed:
        names = ((each, each.name) for each in listed if not each.name.startswith("."))
        return sorted((as_text(name) + (os.sep if _is_folder(each) else ""), name) for each, name in names)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # what is wrong with it is found where its turn comes


def _status(path: Path) -> os.stat_result | None:
    """What the system says of a file or folder, links followed; None for a broken link. Raises OSError."""
    try:
        return os.stat(path)  # noqa: PTH116 — half the time of `path.stat`
    except OSError as error:
        if error.errno in _BROKEN_LINK:
            return None
        raise


def settled_version(status: os.stat_result) -> str | None:
    """The modification time in nanoseconds, None while it is too young to be trusted."""
    return str(status.st_mtime_ns) if time.time_ns() - status.st_mtime_ns > UNSETTLED_NS else None
