"""Roots: the folders and files that a gallery is made of, and what lies below which."""

import os
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from gallery.errors import SourceUnavailable


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
        if not any(_is_within(root, outer, real) for outer in kept):
            kept = [inner for inner in kept if not inner.is_relative_to(root)]
            kept.append(root)
    return sorted(kept)


def count_files(roots: Iterable[Path]) -> int:
    """About how many files a scan will find: links to folders are not followed, files not looked at."""
    names = (name for root in roots for _, _, files in os.walk(root) for name in files)
    return sum(not name.startswith(".") for name in names)


def is_present(root: Path) -> bool:
    """Whether the root is there and can be reached."""
    try:
        return root.exists()
    except OSError:
        return False


def root_uri(root: Path) -> str:
    """A root as text, in the form that the uris below it begin with."""
    return as_text(_absolute(root))


def is_below(uri: str, root: str) -> bool:
    """Whether the uri is the root itself or lies within it."""
    return uri == root or uri.startswith(root.rstrip(os.sep) + os.sep)


def as_text(path: Path | str) -> str:
    """A path as text that any database can keep: bytes that are not UTF-8 as \\xNN."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _is_within(root: Path, outer: Path, real: dict[Path, Path]) -> bool:
    """Whether a scan of `outer` finds what lies in the root: by where it really is, or by its name."""
    return real[root].is_relative_to(real[outer]) or root.is_relative_to(outer)


def _missing(root: Path, *, is_recorded: bool) -> SourceUnavailable:
    way_out = (
        "the gallery has images from it: mount it or, if it was renamed or deleted, index it with "
        "--allow-empty, and they end"
        if is_recorded
        else "name a folder of images, or an image"
    )
    return SourceUnavailable(f"{root} does not exist or cannot be reached; {way_out}.")


def _absolute(root: Path) -> Path:
    return Path(os.path.abspath(root))  # noqa: PTH100 — `resolve` would follow links and rename the places
