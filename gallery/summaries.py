"""Galleries at a glance."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, ScalarSelect, func, select

from gallery.records.builds import BuildRecord
from gallery.records.galleries import GalleryRecord
from gallery.records.jobs import JobRecord

DELETE = "delete"
"""The kind of the jobs that delete galleries."""


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
    is_doomed: bool = False


def doomed_by() -> ScalarSelect[int | None]:
    """The open job that deletes the gallery of a row; null where there is none."""
    return (
        select(func.min(JobRecord.id))
        .where(
            JobRecord.gallery == GalleryRecord.name,
            JobRecord.kind == DELETE,
            JobRecord.ended_at.is_(None),
        )
        .correlate(GalleryRecord)
        .scalar_subquery()
    )


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
            doomed_by().is_not(None),
        )
        .outerjoin(
            BuildRecord,
            (BuildRecord.gallery_id == GalleryRecord.id)
            & (BuildRecord.number == GalleryRecord.published_build),
        )
        .order_by(GalleryRecord.name)
    )
    return [GallerySummary(*tuple(row)) for row in connection.execute(statement)]
