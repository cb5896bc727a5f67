"""Files that are not what was written: of a segment, or of a main index."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from gallery.files import file_sha256
from gallery.manifest import FileClaims


def is_intact(folder: Path, files: Mapping[str, FileClaims]) -> bool:
    """Whether every file is there in its full size; cheap, bytes are not read."""
    return next(damaged(folder, files, quick=True), None) is None


def damaged(folder: Path, files: Mapping[str, FileClaims], *, quick: bool) -> Iterator[tuple[Path, str]]:
    """The files that are not what was written, each with the end of a sentence that begins with its path."""
    for name, claims in sorted(files.items()):
        reason = _why_damaged(folder / name, claims, quick=quick)
        if reason is not None:
            yield folder / name, reason


def _why_damaged(path: Path, claims: FileClaims, *, quick: bool) -> str | None:
    try:
        size = path.stat().st_size
    except OSError:
        return "is missing"
    if size != claims.bytes:
        return f"has {size} bytes where {claims.bytes} were written"
    if not quick and file_sha256(path) != claims.sha256:
        return "has other bytes than those that were written"
    return None
