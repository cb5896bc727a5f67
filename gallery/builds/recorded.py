"""What the records say of a build: the manifest that it should have."""

from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, Row, select

from gallery.errors import CorruptGallery
from gallery.local_storage import LocalStorage
from gallery.manifest import (
    EncoderClaims,
    IndexClaims,
    MainIndexClaims,
    Manifest,
    SegmentClaims,
    UsualClaims,
    read_manifest,
)
from gallery.records.builds import BuildRecord, BuildSegmentRecord, SegmentRecord
from gallery.records.indexes import BuildIndexRecord, IndexRecord
from gallery.segments.local_embeddings import storage_of
from gallery.segments.storage import claims_of
from gallery.site import Site


def recorded_segments(connection: Connection, site: Site, build: int) -> tuple[SegmentClaims, ...]:
    """The segments that a build names, by id."""
    statement = (
        select(SegmentRecord.id, SegmentRecord.name, SegmentRecord.rows, SegmentRecord.files)
        .join(BuildSegmentRecord, BuildSegmentRecord.segment_id == SegmentRecord.id)
        .join(BuildRecord, BuildRecord.id == BuildSegmentRecord.build_id)
        .where(BuildRecord.gallery_id == site.gallery_id, BuildRecord.number == build)
        .order_by(SegmentRecord.id)
    )
    return tuple(map(claims_of, connection.execute(statement)))


def recorded_manifest(connection: Connection, site: Site, build: int) -> Manifest:
    """The manifest that the records of a build ask for; raises CorruptGallery where they do not suffice."""
    row = connection.execute(
        select(BuildRecord.__table__).where(
            BuildRecord.gallery_id == site.gallery_id, BuildRecord.number == build
        )
    ).one()
    segments = recorded_segments(connection, site, build)
    storage, (height, width, dimension) = _kept(connection, site, row, segments)
    return Manifest(
        gallery=site.gallery,
        build=build,
        encoder=EncoderClaims(
            name=row.encoder_name,
            fingerprint=row.fingerprint,
            folder=row.encoder_folder,
            dimension=dimension,
            grid=(height, width),
        ),
        images=row.images,
        contents=row.contents,
        labels=row.labels,
        index=_index(connection, row.id, segments),
        local_embeddings=storage,
        usual=row.usual and UsualClaims.model_validate(row.usual),
        segments=segments,
    )


def _index(connection: Connection, build_id: int, segments: tuple[SegmentClaims, ...]) -> IndexClaims:
    entries = sum(segment.rows for segment in segments)
    statement = (
        select(IndexRecord.id, IndexRecord.claims)
        .join(BuildIndexRecord, BuildIndexRecord.index_id == IndexRecord.id)
        .where(BuildIndexRecord.build_id == build_id)
    )
    row = connection.execute(statement).one_or_none()
    if row is None:
        return IndexClaims(entries=entries)
    main = MainIndexClaims(id=row.id, **row.claims)
    return IndexClaims(kind=main.kind, entries=entries, main=main)


def _kept(
    connection: Connection, site: Site, build: Row[Any], segments: tuple[SegmentClaims, ...]
) -> tuple[LocalStorage, tuple[int, int, int]]:
    """How local embeddings are kept, and (h, w, D) of them; of an empty build its manifest alone knows."""
    if not segments:
        with suppress(CorruptGallery):  # then the segments of other builds tell
            own = read_manifest(site.folder.manifest(build.number), sha256=build.manifest_sha256)
            return own.local_embeddings, (*own.encoder.grid, own.encoder.dimension)
    row = connection.execute(
        select(SegmentRecord.__table__)
        .where(SegmentRecord.gallery_id == site.gallery_id, SegmentRecord.fingerprint == build.fingerprint)
        .limit(1)
    ).one_or_none()
    if row is None:
        raise CorruptGallery(
            f"The manifest of build {build.number} of the gallery {site.gallery!r} is lost, and no record "
            "tells what was in it; index the gallery's folders again."
        )
    files = segments[0].files if segments else row.files
    return storage_of(files), (row.grid_height, row.grid_width, row.dimension)
