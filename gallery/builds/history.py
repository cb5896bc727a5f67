"""The builds that a gallery keeps, and what it is made of: from its records, whatever became of files."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from gallery.builds.image import GalleryImage
from gallery.builds.readers import is_read
from gallery.errors import BuildNotFound
from gallery.folders import GalleryFolder
from gallery.local_storage import LocalStorage
from gallery.membership import in_build, label_counts, members
from gallery.records.builds import BuildRecord, BuildSegmentRecord, SegmentRecord
from gallery.records.galleries import GalleryRecord, SourceRecord
from gallery.records.images import PlaceRecord
from gallery.segments.local_embeddings import storage_of
from gallery.site import Site
from gallery.surveys.seen import count_unreadable


@dataclass(frozen=True, slots=True)
class KeptBuild:
    """A build: what it shows, and what it takes on the disk.

    `entries` are the contents that its segments hold, `tombstones` those among them that no image of it
    shows. `bytes` are of its segments, which builds share. `is_read` says whether somebody has it open.
    """

    build: int
    published: bool
    published_at: datetime
    encoder_name: str
    fingerprint: str
    images: int
    contents: int
    labels: int
    entries: int
    tombstones: int
    segments: int
    local_embeddings: LocalStorage
    bytes: int
    is_read: bool


@dataclass(frozen=True, slots=True)
class History:
    """A gallery, with its builds from the newest to the oldest.

    `build` is the published one, None before the first. `sources` are the roots that it is made of,
    `unreadable` counts the files there that could not be read. `bytes` are of all its segments, each once.
    """

    name: str
    created_at: datetime
    build: int | None
    sources: tuple[str, ...]
    unreadable: int
    bytes: int
    builds: tuple[KeptBuild, ...]


@dataclass(frozen=True, slots=True)
class BuildAccount:
    """What one build shows: how many images each label has, and every image where they were asked for."""

    gallery: str
    build: KeptBuild
    labels: dict[str, int]
    images: tuple[GalleryImage, ...] | None


def history(site: Site) -> History:
    """What the records say of a gallery."""
    with site.engine.connect() as connection:
        gallery = connection.execute(
            select(GalleryRecord.created_at, GalleryRecord.published_build).where(
                GalleryRecord.id == site.gallery_id
            )
        ).one()
        segments = _segments(connection, site.gallery_id)
        return History(
            name=site.gallery,
            created_at=gallery.created_at,
            build=gallery.published_build,
            sources=tuple(_sources(connection, site.gallery_id)),
            unreadable=count_unreadable(connection, site.gallery_id),
            bytes=sum(_bytes(row) for row in segments.values()),
            builds=tuple(
                _kept(row, _named(connection, row.id, segments), site.folder, gallery.published_build)
                for row in _builds(connection, site.gallery_id)
            ),
        )


def build_account(site: Site, build: int, *, with_images: bool) -> BuildAccount:
    """What the records say of one build; raises BuildNotFound."""
    kept = history(site).builds
    found = next((each for each in kept if each.build == build), None)
    if found is None:
        numbers = ", ".join(str(each.build) for each in reversed(kept)) or "none"
        raise BuildNotFound(f"The gallery {site.gallery!r} keeps no build {build}; it has {numbers}.")
    with site.engine.connect() as connection:
        labels = label_counts(connection, site.gallery_id, build)
        images = tuple(_images(connection, site.gallery_id, build)) if with_images else None
    return BuildAccount(site.gallery, found, labels, images)


def _builds(connection: Connection, gallery_id: int) -> Sequence[Row[Any]]:
    of_gallery = select(BuildRecord.__table__).where(BuildRecord.gallery_id == gallery_id)
    return connection.execute(of_gallery.order_by(BuildRecord.number.desc())).all()


def _images(connection: Connection, gallery_id: int, build: int) -> Iterator[GalleryImage]:
    for row in connection.execute(members(in_build(gallery_id, build)).order_by(PlaceRecord.uri)):
        yield GalleryImage(*row)


def _segments(connection: Connection, gallery_id: int) -> dict[int, Row[Any]]:
    statement = select(SegmentRecord.id, SegmentRecord.rows, SegmentRecord.files).where(
        SegmentRecord.gallery_id == gallery_id
    )
    return {row.id: row for row in connection.execute(statement)}


def _named(connection: Connection, build_id: int, segments: Mapping[int, Row[Any]]) -> list[Row[Any]]:
    statement = select(BuildSegmentRecord.segment_id).where(BuildSegmentRecord.build_id == build_id)
    return [segments[segment_id] for segment_id in connection.scalars(statement)]


def _kept(
    row: Row[Any], segments: Sequence[Row[Any]], folder: GalleryFolder, published: int | None
) -> KeptBuild:
    entries = sum(segment.rows for segment in segments)
    return KeptBuild(
        build=row.number,
        published=row.number == published,
        published_at=row.published_at,
        encoder_name=row.encoder_name,
        fingerprint=row.fingerprint,
        images=row.images,
        contents=row.contents,
        labels=row.labels,
        entries=entries,
        tombstones=entries - row.contents,
        segments=len(segments),
        local_embeddings=storage_of(segments[0].files if segments else ()),
        bytes=sum(_bytes(segment) for segment in segments),
        is_read=is_read(folder.manifest(row.number)),
    )


def _bytes(segment: Row[Any]) -> int:
    return sum(int(claims["bytes"]) for claims in segment.files.values())


def _sources(connection: Connection, gallery_id: int) -> Iterator[str]:
    statement = select(SourceRecord.uri).where(SourceRecord.gallery_id == gallery_id)
    yield from connection.scalars(statement.order_by(SourceRecord.uri))
