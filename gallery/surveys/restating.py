"""Files after places were changed without a scan: they say what the gallery shows, and are read again."""

from sqlalchemy import Connection, and_, delete, exists, insert, not_, or_, select, update

from gallery.records.files import FileRecord, FindingRecord
from gallery.records.galleries import SourceRecord
from gallery.records.images import ContentRecord, ImageRecord, PlaceRecord
from gallery.surveys.seen import below


def restate_files(connection: Connection, gallery_id: int) -> None:
    """Make what was seen of files what the live places say, so that the next run compares with those.

    A file whose place has changed will be read by the next run; one that could not be read is still so,
    unless an image is shown at its uri now. What an unfinished run has found is forgotten.
    """
    live = (PlaceRecord.gallery_id == gallery_id, PlaceRecord.until_build.is_(None))
    here = (*live, PlaceRecord.uri == FileRecord.uri)
    same = exists().where(
        *here,
        ImageRecord.id == PlaceRecord.image_id,
        ContentRecord.id == ImageRecord.content_id,
        ContentRecord.checksum == FileRecord.checksum,
        PlaceRecord.label.is_not_distinct_from(FileRecord.label),
        PlaceRecord.attributes.is_not_distinct_from(FileRecord.attributes),
    )
    unreadable = FileRecord.reason.is_not(None)
    connection.execute(
        delete(FileRecord).where(
            FileRecord.gallery_id == gallery_id,
            or_(and_(unreadable, exists().where(*here)), and_(not_(unreadable), ~same)),
        )
    )
    known = exists().where(FileRecord.gallery_id == gallery_id, FileRecord.uri == PlaceRecord.uri)
    shown = (
        select(
            PlaceRecord.gallery_id,
            PlaceRecord.uri,
            PlaceRecord.source,
            PlaceRecord.label,
            ContentRecord.checksum,
        )
        .join(ImageRecord, ImageRecord.id == PlaceRecord.image_id)
        .join(ContentRecord, ContentRecord.id == ImageRecord.content_id)
        .where(*live, ~known)
    )
    names = ["gallery_id", "uri", "source", "label", "checksum"]
    connection.execute(insert(FileRecord).from_select(names, shown))
    connection.execute(delete(FindingRecord).where(FindingRecord.gallery_id == gallery_id))
    _give_to_listing(connection, gallery_id)


def _give_to_listing(connection: Connection, gallery_id: int) -> None:
    """Give places that were shown before their sources were kept to the listing that must miss them.

    Where there is one listing, what lies in no folder was found through it.
    """
    of_gallery = SourceRecord.gallery_id == gallery_id
    known = connection.execute(select(SourceRecord.uri, SourceRecord.kind).where(of_gallery)).all()
    listings = [uri for uri, kind in known if kind != "folder"]
    if len(listings) != 1:
        return  # of several nobody knows which one it was
    in_folders = [
        or_(FileRecord.uri == uri, below(FileRecord, uri)) for uri, kind in known if kind == "folder"
    ]
    orphaned = update(FileRecord).where(
        FileRecord.gallery_id == gallery_id, FileRecord.source.is_(None), *(~each for each in in_folders)
    )
    connection.execute(orphaned.values(source=listings[0]))
