"""How alike two images of a build usually are, and an image and its nearest, measured when it is made."""

from collections.abc import Sequence

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
"""Rows: beyond, it would take longer than others that write into the database should wait."""
SPARE = 8
"""Nearest that no image shows any more are passed over: so many more are looked up."""
SEED = 0
"""The same build is measured alike, whoever measures it."""


def measured_usual(
    connection: Connection, folder: GalleryFolder, gallery_id: int, segments: Sequence[SegmentClaims]
) -> UsualClaims | None:
    """Measure it on live contents of the segments, drawn at random but always the same ones.

    None where they are too few. Raises CorruptGallery for a segment that cannot be read.
    """
    if not segments:
        return None
    parts = [Segment(folder.segment(each.name), each).part for each in segments]
    embeddings = Embeddings(parts[0].embeddings.shape[1], parts)
    drawn = _drawn(connection, gallery_id, embeddings)
    if len(drawn) < FEWEST or len(embeddings) > LARGEST:
        return usual_of(embeddings.rows(drawn))
    return usual_of(embeddings.rows(drawn), _nearest(connection, gallery_id, embeddings, drawn))


def _nearest(
    connection: Connection, gallery_id: int, embeddings: Embeddings, drawn: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The cosines (m,) of some of the drawn with the nearest other live content of the whole gallery."""
    some = max(LEAST_ASKED, COMPARED // len(embeddings))
    asked = drawn if len(drawn) <= some else np.random.default_rng(SEED).choice(drawn, some, replace=False)
    queries = embeddings.rows(asked)
    found = nearest_positions(embeddings, queries, min(1 + SPARE, len(embeddings)))
    ids = embeddings.content_ids(found.ravel())
    live = np.isin(ids, _live(connection, gallery_id, np.unique(ids).tolist())).reshape(found.shape)
    near = embeddings.rows(found.ravel()).reshape(*found.shape, -1).astype(np.float64)
    cosines = np.einsum("nd,nkd->nk", queries.astype(np.float64), near)
    cosines[~live | (found == asked[:, None])] = -np.inf
    best = cosines.max(axis=1)
    kept: NDArray[np.float64] = np.clip(best[np.isfinite(best)], -1, 1)
    return kept


def _drawn(connection: Connection, gallery_id: int, embeddings: Embeddings) -> NDArray[np.int64]:
    """The positions (n,) of at most IMAGES different live contents, ascending."""
    count = min(len(embeddings), DRAWN)
    drawn = np.random.default_rng(SEED).choice(len(embeddings), count, replace=False)
    content_ids, first = np.unique(embeddings.content_ids(drawn), return_index=True)
    live = np.isin(content_ids, _live(connection, gallery_id, content_ids.tolist()))
    return np.sort(drawn[np.sort(first[live])[:IMAGES]])


def _live(connection: Connection, gallery_id: int, content_ids: Sequence[int]) -> list[int]:
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
