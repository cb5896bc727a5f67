"""Removing originals of the gallery's own whose images people have removed."""

from pathlib import Path

from sqlalchemy import exists, select

from gallery.files import file_sha256
from gallery.records.amendments import AmendmentRecord
from gallery.records.images import PlaceRecord
from gallery.site import Site


def is_uploaded(site: Site, uri: str) -> bool:
    """Whether the file at this uri is an original of the gallery's own."""
    return Path(uri).is_relative_to(site.folder.uploads)


def remove_originals(site: Site) -> None:
    """Remove the uploaded files whose content is an image no more because a person said so.

    A file that holds something else by now stays; so does whatever the gallery does not own.
    """
    live = exists().where(
        PlaceRecord.gallery_id == AmendmentRecord.gallery_id,
        PlaceRecord.uri == AmendmentRecord.uri,
        PlaceRecord.until_build.is_(None),
    )
    removed = select(AmendmentRecord.uri, AmendmentRecord.checksum).where(
        AmendmentRecord.gallery_id == site.gallery_id, AmendmentRecord.removed.is_(True), ~live
    )
    with site.engine.connect() as connection:
        found = connection.execute(removed).all()
    for uri, checksum in found:
        path = Path(uri)
        if is_uploaded(site, uri) and path.is_file() and file_sha256(path) == checksum:
            path.unlink(missing_ok=True)
