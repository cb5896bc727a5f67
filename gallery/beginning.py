"""The beginning of a gallery: a row by its name, before there is anything in it."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Engine, insert, select

from gallery.database import writing
from gallery.files import remove
from gallery.folders import GalleryFolder
from gallery.records.galleries import GalleryRecord


class Begun(NamedTuple):
    """The id of a gallery that is there now, and whether it was not before."""

    gallery_id: int
    is_new: bool


def begun(engine: Engine, folder: GalleryFolder, *, at: datetime) -> Begun:
    """The gallery of this folder, made if there is none of its name."""
    with writing(engine) as connection:
        known = connection.scalar(select(GalleryRecord.id).where(GalleryRecord.name == folder.name))
        if known is not None:
            return Begun(known, is_new=False)
        remove(folder.path)  # what a deletion that was killed left under it
        made = insert(GalleryRecord).values(name=folder.name, created_at=at).returning(GalleryRecord.id)
        return Begun(connection.scalars(made).one(), is_new=True)
