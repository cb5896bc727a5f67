"""Deleting a gallery: its rows in one transaction, then its folder.

Whatever is left of a deletion that was killed is a folder that no row names: the next deletion of that name
removes it, and a gallery made anew under it takes nothing of it over.
"""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from sqlalchemy import Engine, delete, exists, select

from gallery.builds.readers import unread
from gallery.builds.retention import build_numbers
from gallery.database import writing
from gallery.errors import GalleryInUse, GalleryLocked
from gallery.files import UNFINISHED, put_aside
from gallery.folders import GalleryFolder
from gallery.records.amendments import AmendmentRecord
from gallery.records.builds import BuildRecord, SegmentRecord
from gallery.records.galleries import GalleryRecord
from gallery.tenure import Tenure


def delete_gallery(tenure: Tenure) -> None:
    """Delete the gallery with everything in it; originals are not touched.

    Raises GalleryInUse if somebody has a build of it open.
    """
    with _unread_by_all(tenure):
        with tenure.writing() as connection:
            connection.execute(delete(BuildRecord).where(BuildRecord.gallery_id == tenure.gallery_id))
            connection.execute(delete(GalleryRecord).where(GalleryRecord.id == tenure.gallery_id))
        remove_folder(tenure.engine, tenure.folder)


def delete_if_empty(tenure: Tenure) -> None:
    """Delete a gallery in which nothing is published, embedded, said or uploaded, nor being uploaded."""
    uploads = tenure.folder.uploads
    holds = (
        select(exists().where(record.gallery_id == tenure.gallery_id))
        for record in (BuildRecord, SegmentRecord, AmendmentRecord)
    )
    with tenure.engine.connect() as connection:
        if (uploads.is_dir() and any(uploads.iterdir())) or any(connection.scalar(each) for each in holds):
            return
    with suppress(GalleryLocked):  # whoever has taken it over goes on with it
        delete_gallery(tenure)


def remove_folder(engine: Engine, folder: GalleryFolder) -> bool:
    """Remove the folder of this name if no row names it; whether there was one.

    It is put aside while nobody can make a gallery of its name, which would lie in it.
    """
    with writing(engine) as connection:
        named = select(GalleryRecord.id).where(GalleryRecord.name == folder.name)
        if connection.scalar(named) is not None or not folder.path.is_dir():
            return False
        doomed = put_aside(folder.path)
    shutil.rmtree(doomed, ignore_errors=True)  # of what is left, the next one sees to it
    return True


def remove_doomed(home: Path) -> None:
    """Remove what killed deletions, of whichever galleries, had put aside to be removed."""
    for path in (home / "galleries").glob(f"{UNFINISHED}*"):
        shutil.rmtree(path, ignore_errors=True)  # another one may be removing it at the same time


@contextmanager
def _unread_by_all(tenure: Tenure) -> Iterator[None]:
    with tenure.engine.connect() as connection:
        numbers = build_numbers(connection, tenure.gallery_id)
    with ExitStack() as stack:
        for number in numbers:
            if not stack.enter_context(unread(tenure.folder.manifest(number))):
                raise GalleryInUse(
                    f"Build {number} of the gallery {tenure.gallery!r} is open somewhere, as in a service "
                    "that runs; end it, then delete the gallery."
                )
        yield
