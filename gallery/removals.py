"""Removals: content at a place that is no image because a person said so, until one takes that back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import ColumnElement, delete, insert, select

from gallery.amending import Said
from gallery.builds.build import Build
from gallery.builds.image import GalleryImage
from gallery.database import writing
from gallery.errors import OriginalDeleted, RemovalNotFound
from gallery.files import file_sha256
from gallery.membership import in_build_too
from gallery.records.amendments import RemovalRecord
from gallery.records.images import PlaceRecord
from gallery.site import Site


@dataclass(frozen=True, slots=True)
class Removal:
    """The image that was removed, who said so (None where nobody knows), and when."""

    image_id: int
    uri: str
    checksum: str
    author: str | None
    said_at: datetime


def remove_image(site: Site, image: GalleryImage, said: Said) -> None:
    """The content at this place is no image any more: no search finds it from now on, in whichever build."""
    this = {"gallery_id": site.gallery_id, "uri": image.uri, "checksum": image.checksum}
    row = {**this, "image_id": image.image_id, "author": said.author, "said_at": said.at}
    same = (RemovalRecord.uri == image.uri, RemovalRecord.checksum == image.checksum)
    with writing(site.engine) as connection:
        connection.execute(delete(RemovalRecord).where(RemovalRecord.gallery_id == site.gallery_id, *same))
        connection.execute(insert(RemovalRecord), [row])


def removals(site: Site, *, after: int = 0, limit: int | None = None) -> Sequence[Removal]:
    """What is removed from the gallery, by image_id, from the one behind `after`."""
    columns = [getattr(RemovalRecord, name) for name in Removal.__dataclass_fields__]
    statement = (
        select(*columns)
        .where(RemovalRecord.gallery_id == site.gallery_id, RemovalRecord.image_id > after)
        .order_by(RemovalRecord.image_id)
        .limit(limit)
    )
    with site.engine.connect() as connection:
        return [Removal(*row) for row in connection.execute(statement)]


def removed_from(build: Build) -> frozenset[int]:
    """The images of the build that people have removed since; the next build is without them."""
    statement = (
        select(PlaceRecord.image_id)
        .join(RemovalRecord, RemovalRecord.image_id == PlaceRecord.image_id)
        .where(in_build_too(build.site.gallery_id, build.number))
    )
    with build.site.engine.connect() as connection:
        return frozenset(connection.scalars(statement))


def is_removed(site: Site, image_id: int) -> bool:
    """Whether a person has removed the image from this gallery already."""
    with site.engine.connect() as connection:
        return connection.scalar(select(RemovalRecord.uri).where(_removal_of(site, image_id))) is not None


def revoke_removal(site: Site, image_id: int) -> Removal:
    """Take a removal back; the image can be found when what people say is published next.

    Raises RemovalNotFound, and OriginalDeleted where its file was the gallery's own and is gone.
    """
    this = _removal_of(site, image_id)
    columns = [getattr(RemovalRecord, name) for name in Removal.__dataclass_fields__]
    with writing(site.engine) as connection:  # so that no worker deletes the original meanwhile
        row = connection.execute(select(*columns).where(this)).one_or_none()
        if row is None:
            raise RemovalNotFound(f"No image {image_id} is removed from the gallery {site.gallery!r}.")
        removal = Removal(*row)
        if site.owns(removal.uri) and not holds(Path(removal.uri), removal.checksum):
            raise OriginalDeleted(
                f"The original of image {image_id} was the gallery's own and was deleted with it; "
                "send the picture again."
            )
        connection.execute(delete(RemovalRecord).where(this))
    return removal


def remove_originals(site: Site) -> int:
    """Delete the files of the gallery's own whose content is an image no more because a person said so.

    Returns how many were deleted. A file that holds something else by now stays; so does whatever the gallery
    does not own.
    """
    own = [each for each in removals(site) if site.owns(each.uri) and Path(each.uri).is_file()]
    return sum(_remove_original(site, removal) for removal in own)


def holds(path: Path, checksum: str) -> bool:
    """Whether the file is there and has this content."""
    return path.is_file() and file_sha256(path) == checksum


def _remove_original(site: Site, removal: Removal) -> bool:
    path = Path(removal.uri)
    with writing(site.engine) as connection:  # else it could be taken back or replaced in this moment
        stands = select(RemovalRecord.uri).where(_removal_of(site, removal.image_id))
        if connection.scalar(stands) is None or not holds(path, removal.checksum):
            return False
        path.unlink(missing_ok=True)
        return True


def _removal_of(site: Site, image_id: int) -> ColumnElement[bool]:
    return (RemovalRecord.gallery_id == site.gallery_id) & (RemovalRecord.image_id == image_id)
