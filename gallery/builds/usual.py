"""How alike two images of a build usually are, measured when it is made."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from gallery.folders import GalleryFolder
from gallery.manifest import SegmentClaims, UsualClaims
from gallery.membership import chunks
from gallery.records.images import ImageRecord, PlaceRecord
from gallery.segments.embeddings import Embeddings
from gallery.segments.segment import Segment
from gallery.usual import IMAGES, usual_of

DRAWN = 4 * IMAGES
"""Rows that are drawn: three of four may hold what no image shows any more."""
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
    return usual_of(embeddings.rows(_drawn(connection, gallery_id, embeddings)))


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
