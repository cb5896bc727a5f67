"""What the records say of a build: the manifest that it should have."""

from sqlalchemy import Connection, select

from gallery.local_embeddings import storage_of
from gallery.manifest import EncoderClaims, IndexClaims, MainIndexClaims, Manifest, SegmentClaims
from gallery.records.builds import BuildRecord, BuildSegmentRecord, SegmentRecord
from gallery.records.indexes import BuildIndexRecord, IndexRecord
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
    return tuple(
        SegmentClaims(id=row.id, name=row.name, rows=row.rows, files=row.files)
        for row in connection.execute(statement)
    )


def recorded_manifest(connection: Connection, site: Site, build: int) -> Manifest:
    """The manifest that the records of a build ask for."""
    row = connection.execute(
        select(BuildRecord.__table__).where(
            BuildRecord.gallery_id == site.gallery_id, BuildRecord.number == build
        )
    ).one()
    segments = recorded_segments(connection, site, build)
    height, width, dimension = _shape(connection, site, row.fingerprint)
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
        local_embeddings=storage_of(segments[0].files if segments else ()),
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


def _shape(connection: Connection, site: Site, fingerprint: str) -> tuple[int, int, int]:
    """(h, w, D) of what the encoder makes."""
    columns = (SegmentRecord.grid_height, SegmentRecord.grid_width, SegmentRecord.dimension)
    of_encoder = (SegmentRecord.gallery_id == site.gallery_id, SegmentRecord.fingerprint == fingerprint)
    row = connection.execute(select(*columns).where(*of_encoder).limit(1)).one()
    return row.grid_height, row.grid_width, row.dimension
