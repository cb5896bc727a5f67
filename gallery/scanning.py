"""Which files lie below the given roots, and what their bytes are called."""

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gallery.errors import SourceUnavailable

_BROKEN_LINK = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}


@dataclass(frozen=True, slots=True)
class ScannedFile:
    """A file as it was found: `path` opens it, the rest is text that any database can keep.

    `uri` is its absolute path, `relative` its posix path below `root`, `label` its parent folder's name.
    Bytes of a name that are not UTF-8 are shown as \\xNN in the text.
    """

    path: Path
    root: Path
    uri: str
    relative: str
    label: str


@dataclass(frozen=True, slots=True)
class UnlistedFolder:
    """A folder that may not be listed, and why: what lies in it now is not known."""

    uri: str
    reason: str


def _refuse(folder: UnlistedFolder) -> None:
    raise SourceUnavailable(f"{folder.uri} is no whole source: {folder.reason}.")


def checksum(data: bytes) -> str:
    """The name of a content: SHA-256 of its bytes, 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def scan(
    roots: Sequence[Path], *, leave_out: Callable[[UnlistedFolder], None] = _refuse
) -> Iterator[ScannedFile]:
    """Every file below the roots, recursively, each path once, in an order that only names decide.

    Files and folders whose name begins with a dot are left out; links are followed, loops of them safely.
    A root may be a single file. Whatever is not a folder is given, so that the reader can report broken
    links and devices with a reason. A place is named as the caller named it: roots are made absolute, their
    links not resolved; yet a root that lies below another one is part of that one, links resolved.
    Raises SourceUnavailable if a root is missing or cannot be listed. Any other folder that cannot be is
    told to `leave_out`, which refuses it unless given: left out silently it would look like the end of
    everything in it.
    """
    for root in distinct(roots):
        base = root.parent if root.is_file() else root
        _require_listable(root)
        for path in _files(root, frozenset(), leave_out):
            yield ScannedFile(
                path=path,
                root=root,
                uri=_text(path),
                relative=_text(path.relative_to(base).as_posix()),
                label=_text(path.parent.name),
            )


def distinct(
    roots: Sequence[Path], *, recorded: Collection[Path] = (), allow_empty: bool = False
) -> list[Path]:
    """The roots, absolute and sorted, without those that lie within another one.

    With `allow_empty` one of the `recorded` roots, which the gallery is made of, may be gone. Raises
    SourceUnavailable for any other that is.
    """
    for root in roots:
        if not is_present(root) and not (allow_empty and _absolute(root) in recorded):
            raise _missing(root, is_recorded=_absolute(root) in recorded)
    real = {_absolute(root): root.resolve() for root in roots}
    kept: list[Path] = []
    for root in sorted(real, key=lambda each: (len(real[each].parts), each)):
        if not any(real[root].is_relative_to(real[outer]) for outer in kept):
            kept.append(root)
    return sorted(kept)


def is_present(root: Path) -> bool:
    """Whether the root is there and can be reached."""
    try:
        return root.exists()
    except OSError:
        return False


def root_uri(root: Path) -> str:
    """A root as text, in the form that the uris below it begin with."""
    return _text(_absolute(root))


def is_below(uri: str, root: str) -> bool:
    """Whether the uri is the root itself or lies within it."""
    return uri == root or uri.startswith(root.rstrip(os.sep) + os.sep)


def _missing(root: Path, *, is_recorded: bool) -> SourceUnavailable:
    way_out = (
        "the gallery has images from it: mount it or, if it was renamed or deleted, index it with "
        "--allow-empty, and they end"
        if is_recorded
        else "name a folder of images, or an image"
    )
    return SourceUnavailable(f"{root} does not exist or cannot be reached; {way_out}.")


def _require_listable(root: Path) -> None:
    try:
        _listed(root)
    except OSError as error:
        raise SourceUnavailable(f"{root} cannot be listed: {error.strerror or error}.") from error


def _files(
    path: Path, above: frozenset[tuple[int, int]], leave_out: Callable[[UnlistedFolder], None]
) -> Iterator[Path]:
    """The file itself, or what lies in the folder."""
    try:
        listed = _listed(path)
    except OSError as error:
        leave_out(UnlistedFolder(_text(path), f"it cannot be listed ({error.strerror or error})"))
        return
    if listed is None:
        yield path
        return
    identity, names = listed
    if identity in above:
        return  # a link that leads back into a folder that it lies in
    for name in names:
        if not name.startswith("."):
            yield from _files(path / name, above | {identity}, leave_out)


def _listed(path: Path) -> tuple[tuple[int, int], list[str]] | None:
    """A folder's identity and its names in order; None for what is no folder. Raises OSError."""
    try:
        status = path.stat()
    except OSError as error:
        if error.errno in _BROKEN_LINK:
            return None
        raise
    if not stat.S_ISDIR(status.st_mode):
        return None
    with os.scandir(path) as entries:
        return (status.st_dev, status.st_ino), sorted(entry.name for entry in entries)


def _absolute(root: Path) -> Path:
    return Path(os.path.abspath(root))  # noqa: PTH100 — `resolve` would follow links and rename the places


def _text(path: Path | str) -> str:
    return os.fsencode(path).decode("utf-8", "backslashreplace")
