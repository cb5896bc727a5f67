"""Galleries at a glance."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from gallery.records.builds import BuildRecord
from gallery.records.galleries import GalleryRecord


@dataclass(frozen=True, slots=True)
class GallerySummary:
    """A gallery at a glance; where no build was published yet, all that is said of one is None."""

    name: str
    created_at: datetime
    build: int | None
    images: int | None
    contents: int | None
    labels: int | None
    fingerprint: str | None
    encoder_name: str | None
    published_at: datetime | None


def summaries(connection: Connection) -> list[GallerySummary]:
    """All galleries, by name."""
    statement = (
        select(
            GalleryRecord.name,
            GalleryRecord.created_at,
            GalleryRecord.published_build,
            BuildRecord.images,
            BuildRecord.contents,
            BuildRecord.labels,
            BuildRecord.fingerprint,
            BuildRecord.encoder_name,
            BuildRecord.published_at,
        )
        .outerjoin(
            BuildRecord,
            (BuildRecord.gallery_id == GalleryRecord.id)
            & (BuildRecord.number == GalleryRecord.published_build),
        )
        .order_by(GalleryRecord.name)
    )
    return [GallerySummary(*row) for row in connection.execute(statement)]
