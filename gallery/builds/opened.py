"""A build as it is opened: held by its manifest first, and only then looked at."""

from sqlalchemy import Engine, Row, select

from gallery.builds.build import Build
from gallery.builds.readers import Reading
from gallery.folders import GalleryFolder
from gallery.manifest import read_manifest
from gallery.records.builds import BuildRecord
from gallery.records.galleries import GalleryRecord


def opened_build(folder: GalleryFolder, engine: Engine, number: int, *, on_gpu: bool) -> Build | None:
    """The build of this number, or None if it is not there (any more); raises CorruptGallery."""
    try:
        reading = Reading(folder.manifest(number))
    except FileNotFoundError:
        reading = None
    try:  # only what is there after it is held is sure to stay
        record = _record(engine, folder.name, number)
        if record is not None:
            manifest = read_manifest(folder.manifest(number), sha256=record.manifest_sha256)
            return Build(folder, engine, record.gallery_id, manifest, reading=reading, on_gpu=on_gpu)
    except BaseException:
        if reading is not None:
            reading.end()
        raise
    if reading is not None:
        reading.end()
    return None


def _record(engine: Engine, name: str, number: int) -> Row[int, str] | None:
    statement = (
        select(BuildRecord.gallery_id, BuildRecord.manifest_sha256)
        .join(GalleryRecord, GalleryRecord.id == BuildRecord.gallery_id)
        .where(GalleryRecord.name == name, BuildRecord.number == number)
    )
    with engine.connect() as connection:
        return connection.execute(statement).one_or_none()
