"""Which contents are embedded in which segment, and what is on disk though nobody names it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    insert,
    select,
    update,
)

from gallery.local_storage import LocalStorage
from gallery.manifest import FileClaims, SegmentClaims
from gallery.membership import chunks
from gallery.records.builds import BuildRecord, BuildSegmentRecord, EmbeddedContentRecord, SegmentRecord
from gallery.records.galleries import GalleryRecord
from gallery.records.images import ContentRecord
from gallery.segments.local_embeddings import storage_of
from gallery.segments.segment import EmbeddedContent


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


def claims_of(row: Row[Any]) -> SegmentClaims:
    """What a manifest says of a segment, by its row."""
    return SegmentClaims(id=row.id, name=row.name, rows=row.rows, files=row.files)


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


def _known_contents(
    connection: Connection, gallery_id: int, checksums: Iterable[str]
) -> Iterator[tuple[str, int]]:
    statement = select(ContentRecord.checksum, ContentRecord.id).where(ContentRecord.gallery_id == gallery_id)
    for chunk in chunks(checksums):
        yield from connection.execute(statement.where(ContentRecord.checksum.in_(chunk)))
