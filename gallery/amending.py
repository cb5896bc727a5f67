"""What a person says of an image: kept at once, and published by the next build."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from gallery.builds.image import GalleryImage
from gallery.database import writing
from gallery.membership import chunks
from gallery.records.amendments import AmendmentRecord
from gallery.site import Site


@dataclass(frozen=True, slots=True)
class Said:
    """Who said it (None where nobody knows), and when."""

    author: str | None
    at: datetime


def say_of_uploads(
    site: Site, labels: Mapping[str, str | None], attributes: Mapping[str, str], said: Said
) -> None:
    """These places have these labels, or none, and all of them the attributes."""
    rows = (
        {**_unsaid(site, uri), "labelled": True, "label": label, "attributes": dict(attributes), **_by(said)}
        for uri, label in labels.items()
    )
    with writing(site.engine) as connection:
        for chunk in chunks(rows):
            connection.execute(insert(AmendmentRecord), chunk)


def say_of_source(
    site: Site, uri: str, *, label: str | None, attributes: Mapping[str, str], said: Said
) -> None:
    """All images found in the source have this label, unless it is None, and these attributes.

    What was said before and is not said anew stays.
    """
    with _changing(site, uri, of_source=True, said=said) as values:
        values["attributes"] = {**values["attributes"], **attributes}
        if label is not None:
            values |= {"labelled": True, "label": label}


def relabel(site: Site, image: GalleryImage, label: str | None, said: Said) -> None:
    """The image has this label now, or none."""
    with _changing(site, image.uri, of_source=False, said=said) as values:
        values |= {"labelled": True, "label": label}


def set_attributes(site: Site, image: GalleryImage, attributes: Mapping[str, str | None], said: Said) -> None:
    """The image has these attributes beside those that it has; None takes one away."""
    with _changing(site, image.uri, of_source=False, said=said) as values:
        values["attributes"] = {**values["attributes"], **attributes}


@contextmanager
def _changing(site: Site, uri: str, *, of_source: bool, said: Said) -> Iterator[dict[str, Any]]:
    """What was said of a place so far, written anew when the block ends."""
    with writing(site.engine) as connection:
        row = _row(connection, site, uri, of_source)
        before = _unsaid(site, uri) if row is None else dict(row._mapping)
        values: dict[str, Any] = {**before, "of_source": of_source}
        yield values
        connection.execute(_delete(site, uri, of_source))
        connection.execute(insert(AmendmentRecord), [{**values, **_by(said)}])


def _row(connection: Connection, site: Site, uri: str, of_source: bool) -> Row[Any] | None:
    statement = select(AmendmentRecord.__table__).where(
        AmendmentRecord.gallery_id == site.gallery_id,
        AmendmentRecord.uri == uri,
        AmendmentRecord.of_source.is_(of_source),
    )
    return connection.execute(statement).one_or_none()


def _delete(site: Site, uri: str, of_source: bool) -> Any:
    return delete(AmendmentRecord).where(
        AmendmentRecord.gallery_id == site.gallery_id,
        AmendmentRecord.uri == uri,
        AmendmentRecord.of_source.is_(of_source),
    )


def _unsaid(site: Site, uri: str) -> dict[str, Any]:
    return {
        "gallery_id": site.gallery_id,
        "uri": uri,
        "of_source": False,
        "labelled": False,
        "label": None,
        "attributes": {},
    }


def _by(said: Said) -> dict[str, Any]:
    return {"author": said.author, "said_at": said.at}
