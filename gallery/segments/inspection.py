"""One segment looked at: its files against their checksums, and its arrays against its records."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from gallery.errors import CorruptGallery
from gallery.manifest import SegmentClaims
from gallery.records.builds import EmbeddedContentRecord
from gallery.segments.arrays import StoredArray
from gallery.segments.damage import damaged
from gallery.segments.layout import CONTENT_IDS, EMBEDDINGS, THUMBNAIL_STARTS, THUMBNAILS
from gallery.segments.local_embeddings import FILES, SCALES, storage_of


@dataclass(frozen=True, slots=True)
class Damage:
    """What is wrong with a file of a segment: `reason` completes a sentence that begins with its path."""

    segment: SegmentClaims
    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Held:
    """How many rows of each kind a segment really holds; local embeddings None where it keeps none."""

    embeddings: int
    local_embeddings: int | None
    thumbnails: int


def damages(folder: Path, segment: SegmentClaims, *, quick: bool) -> Iterator[Damage]:
    """What is wrong with the segment's files; `quick` reads sizes only, else every byte is read."""
    for path, reason in damaged(folder, segment.files, quick=quick):
        yield Damage(segment, path, reason)


def held_rows(folder: Path, segment: SegmentClaims) -> Held:
    """What the segment holds, as its files say."""
    storage = storage_of(segment.files)
    local = None if storage == "none" else min(_rows(folder / FILES[storage]), _rows(folder / SCALES))
    return Held(_rows(folder / EMBEDDINGS), local, _thumbnails(folder))


def misplaced(connection: Connection, folder: Path, segment: SegmentClaims) -> str | None:
    """How the contents in the segment's rows differ from those that the records say, if they do."""
    recorded = connection.execute(
        select(EmbeddedContentRecord.row, EmbeddedContentRecord.content_id)
        .where(EmbeddedContentRecord.segment_id == segment.id)
        .order_by(EmbeddedContentRecord.row)
    ).all()
    if [row for row, _ in recorded] != list(range(segment.rows)):
        return f"holds {segment.rows} rows, and {len(recorded)} are recorded"
    stored = _content_ids(folder, segment)
    if stored is not None and not np.array_equal(stored, [content_id for _, content_id in recorded]):
        return "holds other contents than those recorded"
    return None


def _rows(path: Path) -> int:
    try:
        return len(StoredArray(path))
    except (CorruptGallery, OSError):
        return 0


def _thumbnails(folder: Path) -> int:
    """How many thumbnails lie whole in their file."""
    try:
        starts = StoredArray(folder / THUMBNAIL_STARTS)
        ends: NDArray[np.int64] = starts.rows(range(1, len(starts)))
        return int((ends <= (folder / THUMBNAILS).stat().st_size).sum())
    except (CorruptGallery, OSError):
        return 0


def _content_ids(folder: Path, segment: SegmentClaims) -> NDArray[np.int64] | None:
    """By row; None in a segment of old, and where they cannot be read."""
    if CONTENT_IDS not in segment.files:
        return None
    try:
        stored = StoredArray(folder / CONTENT_IDS)
        ids: NDArray[np.int64] = stored.rows(range(len(stored)))
    except (CorruptGallery, OSError):
        return None
    return ids
