"""How alike two images of a build usually are, and an image and its nearest, measured when it is made."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from gallery.folders import GalleryFolder
from gallery.index.recall import nearest_positions
from gallery.manifest import SegmentClaims, UsualClaims
from gallery.membership import chunks
from gallery.records.images import ImageRecord, PlaceRecord
from gallery.segments.embeddings import Embeddings
from gallery.segments.segment import Segment
from gallery.usual import FEWEST, IMAGES, usual_of

DRAWN = 4 * IMAGES
"""Rows that are drawn: three of four may hold what no image shows any more."""
COMPARED = 50_000_000
"""So many pairs are looked at for the nearest of some images, which takes half a second."""
LEAST_ASKED = 100
"""Of a large gallery fewer images are asked for their nearest, but no fewer than these."""
LARGEST = 2_000_000
"""Rows: beyond, others that write would wait too long where it is measured in the transaction after all."""
SPARE = 8
"""Nearest that no image shows any more are passed over: so many more are looked up."""
SEED = 0
"""The same build is measured alike, whoever measures it."""


Live = Callable[[Sequence[int]], list[int]]
"""Tells those of some contents that an image shows."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What is usual of these segments, if of the contents that were `asked` about just these are `live`."""

    segments: tuple[SegmentClaims, ...]
    asked: frozenset[int]
    live: frozenset[int]
    usual: UsualClaims | None

    def __post_init__(self) -> None:
        assert self.live <= self.asked

    def holds(self, segments: Sequence[SegmentClaims], live: Live) -> bool:
        """Whether it would be measured alike of these segments, of whose contents those are live."""
        return self.segments == tuple(segments) and self.live == frozenset(live(sorted(self.asked)))


def measured_usual(
    connection: Connection,
    folder: GalleryFolder,
    gallery_id: int,
    segments: Sequence[SegmentClaims],
    before: Measured | None = None,
) -> UsualClaims | None:
    """What is usual of the live contents of the segments; None where they are too few.

    What was measured `before` is taken where it holds still. Raises CorruptGallery for a segment that cannot
    be read.
    """

    live = partial(live_among, connection, gallery_id)
    if before is not None and before.holds(segments, live):
        return before.usual
    return measured(folder, segments, live).usual


def measured(folder: GalleryFolder, segments: Sequence[SegmentClaims], live: Live) -> Measured:
    """Measure it on live contents of the segments, drawn at random but always the same ones.

    Raises CorruptGallery for a segment that cannot be read.
    """
    asked: set[int] = set()
    found: set[int] = set()

    def noted(content_ids: Sequence[int]) -> list[int]:
        shown = live(content_ids)
        asked.update(content_ids)
        found.update(shown)
        return shown

    usual = _usual(folder, segments, noted)
    return Measured(tuple(segments), frozenset(asked), frozenset(found), usual)


def _usual(folder: GalleryFolder, segments: Sequence[SegmentClaims], live: Live) -> UsualClaims | None:
    if not segments:
        return None
    parts = [Segment(folder.segment(each.name), each).part for each in segments]
    embeddings = Embeddings(parts[0].embeddings.shape[1], parts)
    drawn = _drawn(embeddings, live)
    if len(drawn) < FEWEST or len(embeddings) > LARGEST:
        return usual_of(embeddings.rows(drawn))
    return usual_of(embeddings.rows(drawn), _nearest(embeddings, drawn, live))


def _nearest(embeddings: Embeddings, drawn: NDArray[np.int64], live: Live) -> NDArray[np.float64]:
    """The cosines (m,) of some of the drawn with the nearest other live content of the whole gallery."""
    some = max(LEAST_ASKED, COMPARED // len(embeddings))
    asked = drawn if len(drawn) <= some else np.random.default_rng(SEED).choice(drawn, some, replace=False)
    queries = embeddings.rows(asked)
    found = nearest_positions(embeddings, queries, min(1 + SPARE, len(embeddings)))
    ids = embeddings.content_ids(found.ravel())
    shown = np.isin(ids, live(np.unique(ids).tolist())).reshape(found.shape)
    near = embeddings.rows(found.ravel()).reshape(*found.shape, -1).astype(np.float64)
    cosines = np.einsum("nd,nkd->nk", queries.astype(np.float64), near)
    cosines[~shown | (found == asked[:, None])] = -np.inf
    best = cosines.max(axis=1)
    kept: NDArray[np.float64] = np.clip(best[np.isfinite(best)], -1, 1)
    return kept


def _drawn(embeddings: Embeddings, live: Live) -> NDArray[np.int64]:
    """The positions (n,) of at most IMAGES different live contents, ascending."""
    count = min(len(embeddings), DRAWN)
    drawn = np.random.default_rng(SEED).choice(len(embeddings), count, replace=False)
    content_ids, first = np.unique(embeddings.content_ids(drawn), return_index=True)
    shown = np.isin(content_ids, live(content_ids.tolist()))
    return np.sort(drawn[np.sort(first[shown])[:IMAGES]])


def live_among(connection: Connection, gallery_id: int, content_ids: Sequence[int]) -> list[int]:
    """Those of the contents that a live image of the gallery shows."""
    shown = (
        select(ImageRecord.content_id)
        .distinct()
        .join(PlaceRecord, PlaceRecord.image_id == ImageRecord.id)
        .where(PlaceRecord.gallery_id == gallery_id, PlaceRecord.until_build.is_(None))
    )
    found = (
        connection.scalars(shown.where(ImageRecord.content_id.in_(chunk))) for chunk in chunks(content_ids)
    )
    return [content_id for each in found for content_id in each]
