"""The segments that can be relied on, and which of them hold what is live."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    exists,
    func,
    literal,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute, aliased

from gallery.folders import GalleryFolder
from gallery.local_storage import LocalStorage
from gallery.manifest import SegmentClaims
from gallery.records.builds import EmbeddedContentRecord, SegmentRecord
from gallery.records.images import ContentRecord, ImageRecord, PlaceRecord
from gallery.segments.damage import is_intact
from gallery.segments.local_embeddings import storage_of
from gallery.segments.storage import claims_of


class Usage(NamedTuple):
    """The contents of all live images, the segments that hold them, and the images that are in none."""

    contents: int
    segment_ids: frozenset[int]
    lost: int
    lost_uri: str | None


class IntactSegments:
    """The segments of one encoder, and of one storage if it is named, whose files are all there.

    Published or not; one that is damaged, or folded into another, is none of them.
    """

    def __init__(
        self,
        connection: Connection,
        folder: GalleryFolder,
        gallery_id: int,
        fingerprint: str,
        storage: LocalStorage | None,
    ) -> None:
        self._connection = connection
        self._held = (
            select(ContentRecord.checksum, ContentRecord.id, EmbeddedContentRecord.segment_id)
            .join(EmbeddedContentRecord, EmbeddedContentRecord.content_id == ContentRecord.id)
            .where(ContentRecord.gallery_id == gallery_id)
        )
        of_encoder = select(SegmentRecord.__table__).where(
            SegmentRecord.gallery_id == gallery_id,
            SegmentRecord.fingerprint == fingerprint,
            SegmentRecord.damaged.is_(False),
            SegmentRecord.folded.is_(False),
        )
        self._segments = {
            row.id: row
            for row in connection.execute(of_encoder.order_by(SegmentRecord.id))
            if storage in (None, storage_of(row.files))
            and is_intact(folder.segment(row.name), claims_of(row).files)
        }

    @property
    def shape(self) -> tuple[int, int, int] | None:
        """(h, w, D) of what they hold, None if there is none."""
        for row in self._segments.values():
            return row.grid_height, row.grid_width, row.dimension
        return None

    def contents(self) -> dict[str, int]:
        """Checksum to content id of everything that they hold."""
        rows = self._connection.execute(self._held)
        return {
            checksum: content_id for checksum, content_id, segment_id in rows if segment_id in self._segments
        }

    def holding(self, gallery_id: int, checksum: InstrumentedAttribute[str | None]) -> ColumnElement[bool]:
        """The condition that they hold the content of this checksum."""
        return exists().where(
            ContentRecord.gallery_id == gallery_id,
            ContentRecord.checksum == checksum,
            EmbeddedContentRecord.content_id == ContentRecord.id,
            EmbeddedContentRecord.segment_id.in_(self._segments),
        )

    def usage(self, gallery_id: int) -> Usage:
        """Which of them hold the contents of the gallery's live images.

        Of two that hold one content it is the newer: it was written because the other was damaged or gone.

        Asked content by content and segment by segment, so that nothing as large as the gallery is sorted.
        """
        live = exists().where(
            ImageRecord.content_id == ContentRecord.id,
            PlaceRecord.image_id == ImageRecord.id,
            PlaceRecord.until_build.is_(None),
        )
        contents = select(func.count()).where(ContentRecord.gallery_id == gallery_id, live)
        held = exists().where(
            EmbeddedContentRecord.content_id == ImageRecord.content_id,
            EmbeddedContentRecord.segment_id.in_(self._segments),
        )
        lost = (
            select(func.count(), func.min(PlaceRecord.uri))
            .join(ImageRecord, ImageRecord.id == PlaceRecord.image_id)
            .where(PlaceRecord.gallery_id == gallery_id, PlaceRecord.until_build.is_(None), ~held)
        )
        count, uri = self._connection.execute(lost).one()
        return Usage(
            contents=self._connection.scalar(contents) or 0,
            segment_ids=frozenset(filter(self._is_used, self._segments)),
            lost=count,
            lost_uri=uri,
        )

    def _is_used(self, segment_id: int) -> bool:
        """Whether a live image shows a content of this segment that no newer one holds."""
        newer = aliased(EmbeddedContentRecord)
        here = (
            select(literal(1))
            .select_from(EmbeddedContentRecord)
            .join(ImageRecord, ImageRecord.content_id == EmbeddedContentRecord.content_id)
            .join(PlaceRecord, PlaceRecord.image_id == ImageRecord.id)
            .where(
                EmbeddedContentRecord.segment_id == segment_id,
                PlaceRecord.until_build.is_(None),
                ~exists().where(
                    newer.content_id == EmbeddedContentRecord.content_id,
                    newer.segment_id > segment_id,
                    newer.segment_id.in_(self._segments),
                ),
            )
        )
        return self._connection.scalar(here.limit(1)) is not None

    def __iter__(self) -> Iterator[int]:
        """Their ids, ascending."""
        return iter(self._segments)

    def __contains__(self, segment_id: object) -> bool:
        return segment_id in self._segments

    def claims(self, segment_ids: Iterable[int]) -> tuple[SegmentClaims, ...]:
        """What a manifest says of these, in the order of their ids."""
        return tuple(claims_of(self._segments[segment_id]) for segment_id in sorted(segment_ids))
