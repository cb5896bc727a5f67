"""Which files lie below the given roots, and what their bytes are called."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gallery.errors import SourceUnavailable


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


def checksum(data: bytes) -> str:
    """The name of a content: SHA-256 of its bytes, 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def scan(roots: Sequence[Path]) -> Iterator[ScannedFile]:
    """Every file below the roots, recursively, each path once, in an order that only names decide.

    Files and folders whose name begins with a dot are left out; links are followed, loops of them safely.
    A root may be a single file. Whatever is not a folder is given, so that the reader can report broken
    links and devices with a reason. A place is named as the caller named it: roots are made absolute, their
    links not resolved; yet a root that lies below another one is part of that one, links resolved.
    Raises SourceUnavailable if a root is missing or any folder cannot be listed: a folder left out silently
    would look like the end of everything in it.
    """
    for root in distinct(roots):
        base = root.parent if root.is_file() else root
        for path in _files(root):
            yield ScannedFile(
                path=path,
                root=root,
                uri=_text(path),
                relative=_text(path.relative_to(base).as_posix()),
                label=_text(path.parent.name),
            )


def distinct(roots: Sequence[Path]) -> list[Path]:
    """The roots, absolute and sorted, without those that lie within another one."""
    real = {_absolute(root): root.resolve() for root in roots}
    kept: list[Path] = []
    for root in sorted(real, key=lambda each: (len(real[each].parts), each)):
        _require_present(root)
        if not any(real[root].is_relative_to(real[outer]) for outer in kept):
            kept.append(root)
    return sorted(kept)


def root_uri(root: Path) -> str:
    """A root as text, in the form that the uris below it begin with."""
    return _text(_absolute(root))


def is_below(uri: str, root: str) -> bool:
    """Whether the uri is the root itself or lies within it."""
    return uri == root or uri.startswith(root.rstrip(os.sep) + os.sep)


def _require_present(root: Path) -> None:
    if not root.exists():
        raise SourceUnavailable(
            f"{root} does not exist or cannot be reached; name a folder of images, or an image."
        )


def _files(root: Path) -> Iterator[Path]:
    if root.is_dir():
        yield from _walk(root, frozenset())
    else:
        yield root


def _walk(folder: Path, above: frozenset[tuple[int, int]]) -> Iterator[Path]:
    try:
        status = folder.stat()
        names = sorted(entry.name for entry in os.scandir(folder))
    except OSError as error:
        raise SourceUnavailable(f"{folder} cannot be listed: {error.strerror or error}.") from error
    identity = (status.st_dev, status.st_ino)
    if identity in above:
        return  # a link that leads back into a folder that it lies in
    for name in names:
        path = folder / name
        if name.startswith("."):
            continue
        if path.is_dir():
            yield from _walk(path, above | {identity})
        else:
            yield path


def _absolute(root: Path) -> Path:
    return Path(os.path.abspath(root))  # noqa: PTH100 — `resolve` would follow links and rename the places


def _text(path: Path | str) -> str:
    return os.fsencode(path).decode("utf-8", "backslashreplace")
