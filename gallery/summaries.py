"""Galleries at a glance."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import BindParameter, Connection, Executable, ScalarSelect, Select, bindparam, func, select

from gallery.records.builds import BuildRecord
from gallery.records.galleries import GalleryRecord
from gallery.records.jobs import JobRecord

DELETE = "delete"
"""The kind of the jobs that delete galleries."""


NAME: BindParameter[str] = bindparam("name")


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


def published_build(connection: Connection, name: str) -> tuple[int | None, int | None] | None:
    """The published build of a gallery, and the open job that deletes it; None where it is not there."""
    found = connection.execute(_published_build(), {NAME.key: name}).one_or_none()
    return None if found is None else (found[0], found[1])


def summaries(connection: Connection) -> list[GallerySummary]:
    """All galleries, by name."""
    return [GallerySummary(*tuple(row)) for row in connection.execute(_summaries())]


@cache
def _published_build() -> Select[int | None, int | None]:
    """Every search asks it: to put it together takes longer than to answer it."""
    return select(GalleryRecord.published_build, doomed_by()).where(GalleryRecord.name == NAME)


@cache
def _summaries() -> Executable:
    return (
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
