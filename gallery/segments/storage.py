"""Which contents are embedded in which segment, and what is on disk though nobody names it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    exists,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute, aliased

from gallery.folders import GalleryFolder
from gallery.local_storage import LocalStorage
from gallery.manifest import FileClaims, SegmentClaims
from gallery.membership import chunks
from gallery.records.builds import BuildRecord, BuildSegmentRecord, EmbeddedContentRecord, SegmentRecord
from gallery.records.galleries import GalleryRecord
from gallery.records.images import ContentRecord, ImageRecord, PlaceRecord
from gallery.segments.local_embeddings import storage_of
from gallery.segments.segment import EmbeddedContent, is_intact


class Usage(NamedTuple):
    """The contents of all live images, the segments that hold them, and the images that are in none."""

    contents: int
    segment_ids: frozenset[int]
    lost: int
    lost_uri: str | None


def content_ids(
    connection: Connection, gallery_id: int, contents: Iterable[EmbeddedContent]
) -> dict[str, int]:
    """The ids of the contents by checksum; those that have none yet get one."""
    by_checksum = {content.checksum: content for content in contents}
    known = dict(_known_contents(connection, gallery_id, by_checksum))
    rows = [
        {"gallery_id": gallery_id, "checksum": checksum, "width": content.width, "height": content.height}
        for checksum, content in by_checksum.items()
        if checksum not in known
    ]
    if rows:
        connection.execute(insert(ContentRecord), rows)
    return dict(_known_contents(connection, gallery_id, by_checksum))


def record_segment(
    connection: Connection,
    gallery_id: int,
    *,
    name: str,
    fingerprint: str,
    contents: Sequence[EmbeddedContent],
    ids: Sequence[int],
    files: Mapping[str, FileClaims],
) -> None:
    """Remember a segment that is durable on disk, and what lies in its rows."""
    height, width, dimension = contents[0].shape
    segment = insert(SegmentRecord).values(
        gallery_id=gallery_id,
        name=name,
        fingerprint=fingerprint,
        rows=len(contents),
        dimension=dimension,
        grid_height=height,
        grid_width=width,
        files={name: claims.model_dump() for name, claims in files.items()},
    )
    segment_id = connection.scalars(segment.returning(SegmentRecord.id)).one()
    rows = [
        {"segment_id": segment_id, "row": row, "content_id": content_id} for row, content_id in enumerate(ids)
    ]
    connection.execute(insert(EmbeddedContentRecord), rows)


def mark_folded(connection: Connection, segment_ids: Iterable[int], *, folded: bool) -> None:
    """Say of segments whether what they hold lies in another one now, so that new builds name that one."""
    for chunk in chunks(segment_ids):
        marked = update(SegmentRecord).where(SegmentRecord.id.in_(chunk))
        connection.execute(marked.values(folded=folded))


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
            and is_intact(folder.segment(row.name), _claims(row).files)
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
        """Which of them hold the contents of the gallery's live images; of two the older one.

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
        """Whether a live image shows a content of this segment that no older one holds."""
        older = aliased(EmbeddedContentRecord)
        here = (
            select(literal(1))
            .select_from(EmbeddedContentRecord)
            .join(ImageRecord, ImageRecord.content_id == EmbeddedContentRecord.content_id)
            .join(PlaceRecord, PlaceRecord.image_id == ImageRecord.id)
            .where(
                EmbeddedContentRecord.segment_id == segment_id,
                PlaceRecord.until_build.is_(None),
                ~exists().where(
                    older.content_id == EmbeddedContentRecord.content_id,
                    older.segment_id < segment_id,
                    older.segment_id.in_(self._segments),
                ),
            )
        )
        return self._connection.scalar(here.limit(1)) is not None

    def __contains__(self, segment_id: object) -> bool:
        return segment_id in self._segments

    def claims(self, segment_ids: Iterable[int]) -> tuple[SegmentClaims, ...]:
        """What a manifest says of these, in the order of their ids."""
        return tuple(_claims(self._segments[segment_id]) for segment_id in sorted(segment_ids))


class KnownContents:
    """The contents that one encoder has embedded, also those that are added while it is asked.

    Segments that are not intact when it is made, or keep local embeddings in another way than `storage`,
    do not count. Safe for many threads.
    """

    def __init__(
        self,
        engine: Engine,
        folder: GalleryFolder,
        gallery_id: int,
        fingerprint: str,
        storage: LocalStorage | None,
    ) -> None:
        self._engine = engine
        of_encoder = (SegmentRecord.gallery_id == gallery_id, SegmentRecord.fingerprint == fingerprint)
        with engine.connect() as connection:
            intact = IntactSegments(connection, folder, gallery_id, fingerprint, storage)
            every = connection.scalars(select(SegmentRecord.id).where(*of_encoder)).all()
        self._held = (
            select(ContentRecord.checksum)
            .join(EmbeddedContentRecord, EmbeddedContentRecord.content_id == ContentRecord.id)
            .join(SegmentRecord, SegmentRecord.id == EmbeddedContentRecord.segment_id)
            .where(
                ContentRecord.gallery_id == gallery_id,
                *of_encoder,
                SegmentRecord.id.not_in([each for each in every if each not in intact]),
            )
        )

    def __contains__(self, checksum: object) -> bool:
        return bool(self.among([str(checksum)]))

    def among(self, checksums: Iterable[str]) -> set[str]:
        """Those of the checksums whose content is embedded."""
        held: set[str] = set()
        with self._engine.connect() as connection:
            for chunk in chunks(checksums):
                held.update(connection.scalars(self._held.where(ContentRecord.checksum.in_(chunk))))
        return held


def local_storage(connection: Connection, gallery_id: int) -> LocalStorage | None:
    """How the published build keeps local embeddings, or else what was embedded last; None before that."""
    files = select(SegmentRecord.files).where(SegmentRecord.gallery_id == gallery_id)
    published = (
        files.join(BuildSegmentRecord, BuildSegmentRecord.segment_id == SegmentRecord.id)
        .join(BuildRecord, BuildRecord.id == BuildSegmentRecord.build_id)
        .join(GalleryRecord, GalleryRecord.id == BuildRecord.gallery_id)
        .where(BuildRecord.number == GalleryRecord.published_build)
    )
    for statement in (published, files):
        found = connection.scalar(statement.order_by(SegmentRecord.id.desc()).limit(1))
        if found is not None:
            return storage_of(found)
    return None


def _claims(row: Row[Any]) -> SegmentClaims:
    return SegmentClaims(id=row.id, name=row.name, rows=row.rows, files=row.files)


def _known_contents(
    connection: Connection, gallery_id: int, checksums: Iterable[str]
) -> Iterator[tuple[str, int]]:
    statement = select(ContentRecord.checksum, ContentRecord.id).where(ContentRecord.gallery_id == gallery_id)
    for chunk in chunks(checksums):
        yield from connection.execute(statement.where(ContentRecord.checksum.in_(chunk)))
