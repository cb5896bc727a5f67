"""What became of an image that somebody looks for: it lives in a build, it ended, or it never got in."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy import ColumnElement, Connection, select

from gallery.filters.attributes import is_storable
from gallery.membership import removed_among
from gallery.records.files import FileRecord
from gallery.records.images import ImageRecord, PlaceRecord
from gallery.surveys.seen import REMOVED

LARGEST_ID = 2**63 - 1
"""Beyond it no database can even be asked."""

Known = Literal["live", "ended", "unreadable", "unknown"]


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a file or an image.

    `image_id` and `uri` are its own where it lives or has ended (`until_build` is the first build without
    it, where there is one yet), `reason` says why it could not be read, or that a person removed it. Once no
    kept build shows an ended image, it is unknown.
    """

    known: Known
    image_id: int | None = None
    uri: str | None = None
    until_build: int | None = None
    reason: str | None = None


def fate_of_image(connection: Connection, gallery_id: int, build: int, image_id: int) -> Fate:
    """What became of the image with this id."""
    known = image_id <= LARGEST_ID
    found = _latest(connection, gallery_id, build, PlaceRecord.image_id == image_id) if known else None
    return _as_said(connection, found) if found else Fate("unknown", image_id=image_id)


def fate_of_place(connection: Connection, gallery_id: int, build: int, uri: str) -> Fate:
    """What became of the image at this place."""
    if not is_storable(uri):
        return Fate("unknown", uri=uri)
    found = _latest(connection, gallery_id, build, PlaceRecord.uri == uri)
    if found is not None and found.known == "live":
        return _as_said(connection, found)
    reason = _reason(connection, gallery_id, uri)
    if reason == REMOVED:
        return replace(found or Fate("ended", uri=uri), reason=REMOVED)
    if reason is not None:
        return Fate("unreadable", uri=uri, reason=reason)
    return found or Fate("unknown", uri=uri)


def _as_said(connection: Connection, found: Fate) -> Fate:
    """The same, ended where a person has removed the image, from this build or before it."""
    if found.image_id is not None and removed_among(connection, [found.image_id]):
        return replace(found, known="ended", reason=REMOVED)
    return found


def _latest(
    connection: Connection, gallery_id: int, build: int, condition: ColumnElement[bool]
) -> Fate | None:
    return max(
        _places(connection, gallery_id, build, condition),
        key=lambda each: (each.until_build is None, each.until_build or 0),
        default=None,
    )


def _places(
    connection: Connection, gallery_id: int, build: int, condition: ColumnElement[bool]
) -> Iterator[Fate]:
    statement = (
        select(ImageRecord.id, PlaceRecord.uri, PlaceRecord.until_build)
        .join(PlaceRecord, PlaceRecord.image_id == ImageRecord.id)
        .where(PlaceRecord.gallery_id == gallery_id, PlaceRecord.since_build <= build, condition)
    )
    for image_id, uri, until in connection.execute(statement):
        if until is None or until > build:
            yield Fate("live", image_id=image_id, uri=uri)
        else:
            yield Fate("ended", image_id=image_id, uri=uri, until_build=until)


def _reason(connection: Connection, gallery_id: int, uri: str) -> str | None:
    statement = select(FileRecord.reason).where(FileRecord.gallery_id == gallery_id, FileRecord.uri == uri)
    return connection.scalar(statement)
