"""Compacting a gallery: small segments and those with many tombstones are folded into some of a good size.

Nothing is embedded again, and the images, their ids and places stay as they are. The new segments are files
that nobody names until the transaction that publishes them, so that a compaction that is killed leaves only
what the next run removes. Older builds that are kept go on naming the old segments, and their bytes go with
those builds.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, insert, select

from gallery.builds.planning import published_number
from gallery.builds.republication import manifest_of, republish
from gallery.errors import CorruptGallery
from gallery.filters.filtering import forget_unnamed_attributes
from gallery.index.coverage import claims_with
from gallery.index.report import IndexReport
from gallery.manifest import FileClaims, Manifest, SegmentClaims
from gallery.membership import chunks, is_shown
from gallery.records.builds import EmbeddedContentRecord, SegmentRecord
from gallery.segments.damage import damaged
from gallery.segments.folding import KeptRows, fold
from gallery.segments.layout import DETAIL
from gallery.segments.storage import mark_folded
from gallery.site import Site
from gallery.tenure import Tenure

GOOD_SIZE = 16_384
"""Contents of a segment: some 250 MB at 7 × 7 × 128, so that a million are 61 segments."""

SMALL = 0.5
"""Share of a good size below which a segment is worth being folded."""

MOST_TOMBSTONES = 0.2
"""Share of tombstones above which a segment is copied to be rid of them: it costs their fivefold at most."""


@dataclass(frozen=True, slots=True)
class CompactionReport:
    """What compacting did; `build` is the published one, an old one if there was nothing to fold.

    `folded` segments were made `made` ones, of `copied` contents; `tombstones` were left behind. `bytes` are
    those of the segments that the build names, before and after; `index` is how it is searched afterwards.
    """

    gallery: str
    build: int
    folded: int
    made: int
    copied: int
    tombstones: int
    bytes_before: int
    bytes_after: int
    index: IndexReport | None = None


@dataclass(frozen=True, slots=True)
class Fold:
    """Segments of which the live rows go into one new one, or into none where there are no such rows."""

    segments: Sequence[SegmentClaims]
    live: int


@dataclass(frozen=True, slots=True)
class Made:
    """A new segment on the disk that no record names yet."""

    name: str
    kept: Sequence[KeptRows]
    files: dict[str, FileClaims]


def compact(
    tenure: Tenure,
    *,
    size: int = GOOD_SIZE,
    most_tombstones: float = MOST_TOMBSTONES,
    track: Callable[[Sequence[Fold]], Iterable[Fold]] = iter,
) -> CompactionReport:
    """Fold what is worth folding into segments of `size` contents, and publish it; `track` sees each fold.

    Segments of which a larger share than `most_tombstones` is dead are among that; with 0, all that have any.

    Attributes that nothing names any more are forgotten. Raises NothingPublished and CorruptGallery.
    """
    site = tenure.site
    with tenure.writing() as connection:
        number = published_number(connection, site.gallery_id)
        forget_unnamed_attributes(connection, site.gallery_id)
    manifest = manifest_of(site, number)
    folds = list(_folds(site, manifest, size, most_tombstones))
    if not folds:
        return _report(tenure, manifest, manifest, folds, copied=0)
    made = [_make(site, manifest, each) for each in track(folds) if each.live]

    def change(connection: Connection, _number: int) -> Manifest:
        new = [_record(connection, site, manifest, segment) for segment in made]
        old = {segment.id for each in folds for segment in each.segments}
        mark_folded(connection, old, folded=True)
        kept = [segment for segment in manifest.segments if segment.id not in old]
        return _with_segments(manifest, [*kept, *new])

    return _report(
        tenure, manifest, republish(tenure, change), folds, copied=sum(each.live for each in folds)
    )


def _folds(site: Site, manifest: Manifest, size: int, most_tombstones: float) -> Iterator[Fold]:
    """Neighbours together, until a segment is full; those of old without detail among themselves."""
    worth = list(_worth_folding(site, manifest, size, most_tombstones))
    for detailed in (True, False):
        alike = [each for each in worth if (DETAIL in each[0].files) is detailed]
        yield from _filled(alike, size)


def _filled(worth: Sequence[tuple[SegmentClaims, int]], size: int) -> Iterator[Fold]:
    pending: list[SegmentClaims] = []
    live = 0
    for segment, rows in worth:
        pending.append(segment)
        live += rows
        if live >= size:
            yield Fold(pending, live)
            pending, live = [], 0
    if len(pending) > 1 or any(live < segment.rows for segment in pending):
        yield Fold(pending, live)


def _worth_folding(
    site: Site, manifest: Manifest, size: int, most_tombstones: float
) -> Iterator[tuple[SegmentClaims, int]]:
    """Segments that are small or have many tombstones, with their live contents."""
    with site.engine.connect() as connection:
        for segment in manifest.segments:
            live = len(_live_rows(connection, site, manifest.build, segment.id))
            if segment.rows < size * SMALL or live < segment.rows * (1 - most_tombstones):
                yield segment, live


def _live_rows(connection: Connection, site: Site, build: int, segment_id: int) -> Sequence[tuple[int, int]]:
    """(row, content_id) of the segment's live contents, by row."""
    statement = (
        select(EmbeddedContentRecord.row, EmbeddedContentRecord.content_id)
        .where(EmbeddedContentRecord.segment_id == segment_id, is_shown(site.gallery_id, build))
        .order_by(EmbeddedContentRecord.row)
    )
    return [(row, content_id) for row, content_id in connection.execute(statement)]


def _make(site: Site, manifest: Manifest, wanted: Fold) -> Made:
    kept = []
    with site.engine.connect() as connection:
        for segment in wanted.segments:
            live = _live_rows(connection, site, manifest.build, segment.id)
            if live:
                _require_undamaged(site, segment)
                rows, content_ids = np.array(live, np.int64).T
                kept.append(KeptRows(site.folder.segment(segment.name), rows, content_ids))
    name = uuid.uuid4().hex
    return Made(name, kept, fold(site.folder.segment(name), kept, storage=manifest.local_embeddings))


def _require_undamaged(site: Site, segment: SegmentClaims) -> None:
    """Bytes that changed on the disk must not get a checksum of their own by being copied."""
    for path, _ in damaged(site.folder.segment(segment.name), segment.files, quick=False):
        raise CorruptGallery(
            f"{path} is missing or is not what was written, so nothing is compacted; "
            "`whyalike gallery repair` mends what it can."
        )


def _record(connection: Connection, site: Site, manifest: Manifest, made: Made) -> SegmentClaims:
    height, width = manifest.encoder.grid
    count = sum(map(len, made.kept))
    segment = insert(SegmentRecord).values(
        gallery_id=site.gallery_id,
        name=made.name,
        fingerprint=manifest.encoder.fingerprint,
        rows=count,
        dimension=manifest.encoder.dimension,
        grid_height=height,
        grid_width=width,
        files={name: claims.model_dump() for name, claims in made.files.items()},
    )
    segment_id = connection.scalars(segment.returning(SegmentRecord.id)).one()
    content_ids = (content_id for each in made.kept for content_id in each.content_ids.tolist())
    rows = (
        {"segment_id": segment_id, "row": row, "content_id": content_id}
        for row, content_id in enumerate(content_ids)
    )
    for chunk in chunks(rows):
        connection.execute(insert(EmbeddedContentRecord), chunk)
    return SegmentClaims(id=segment_id, name=made.name, rows=count, files=made.files)


def _with_segments(manifest: Manifest, segments: Iterable[SegmentClaims]) -> Manifest:
    ordered = tuple(sorted(segments, key=lambda segment: segment.id))
    index = claims_with(manifest.index.main, ordered)
    return manifest.model_copy(update={"segments": ordered, "index": index})


def _report(
    tenure: Tenure, before: Manifest, after: Manifest, folds: Sequence[Fold], *, copied: int
) -> CompactionReport:
    return CompactionReport(
        gallery=tenure.gallery,
        build=after.build,
        folded=sum(len(each.segments) for each in folds),
        made=sum(each.live > 0 for each in folds),
        copied=copied,
        tombstones=before.index.entries - after.index.entries,
        bytes_before=_bytes(before),
        bytes_after=_bytes(after),
    )


def _bytes(manifest: Manifest) -> int:
    return sum(claims.bytes for segment in manifest.segments for claims in segment.files.values())
