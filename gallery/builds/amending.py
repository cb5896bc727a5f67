"""Publishing what people have said since: labels, attributes and removals, without a look at any source."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from gallery.builds.planning import published_manifest, published_number, stated
from gallery.builds.republication import republish
from gallery.errors import CorruptGallery
from gallery.filters.attributes import digest_of
from gallery.filters.filtering import attributes_by_image, record_attributes
from gallery.manifest import Manifest
from gallery.membership import chunks
from gallery.records.amendments import AmendmentRecord
from gallery.records.files import FileRecord, FindingRecord
from gallery.records.images import ContentRecord, ImageRecord, PlaceRecord
from gallery.segments.intact import IntactSegments
from gallery.surveys.amendments import Amendment
from gallery.surveys.seen import REMOVED
from gallery.tenure import Tenure


@dataclass(frozen=True, slots=True)
class AmendReport:
    """What was published; `build` is the number that readers open now, an old one if nothing had changed."""

    gallery: str
    build: int
    removed: int
    amended: int


@dataclass(frozen=True, slots=True)
class _Change:
    """A live place, and what is to be said there; a label and attributes of None and {} where it ends."""

    place: Row[Any]
    removed: bool
    label: str | None
    attributes: dict[str, str]


def publish_amendments(tenure: Tenure) -> AmendReport:
    """Make what people have said of images what readers open; raises CorruptGallery and NotEmbedded.

    What an unfinished run has found at their places is forgotten, and found again by the next one.
    """
    with tenure.engine.connect() as connection:
        changes = list(_changes(connection, tenure.gallery_id))
        build = published_number(connection, tenure.gallery_id)
    if changes:

        def change(connection: Connection, number: int) -> Manifest:
            for each in changes:
                _write(connection, tenure.gallery_id, each, number)
            return _stated(connection, tenure)

        build = republish(tenure, change).build
    removed = sum(each.removed for each in changes)
    return AmendReport(tenure.gallery, build, removed, len(changes) - removed)


def _changes(connection: Connection, gallery_id: int) -> Iterator[_Change]:
    """The live places of which people say something else; only the holder of the lease changes places."""
    build = published_number(connection, gallery_id)
    for chunk in chunks(connection.execute(_amended_places(gallery_id)).all()):
        told = attributes_by_image(connection, gallery_id, build, [row.image_id for row in chunk])
        for row in chunk:
            says = Amendment(row.uri, row.said_of, row.removed, row.labelled, row.said_label, row.said)
            before = told.get(row.image_id, {})
            if says.removes(row.checksum):
                yield _Change(row, True, None, {})
                continue
            label, attributes = says.label_for(row.label), says.attributes_for(before)
            if (label, attributes) != (row.label, before):
                yield _Change(row, False, label, attributes)


def _amended_places(gallery_id: int) -> Any:
    return (
        select(
            PlaceRecord.id,
            PlaceRecord.image_id,
            PlaceRecord.uri,
            PlaceRecord.label,
            PlaceRecord.source,
            ContentRecord.checksum,
            AmendmentRecord.checksum.label("said_of"),
            AmendmentRecord.removed,
            AmendmentRecord.labelled,
            AmendmentRecord.label.label("said_label"),
            AmendmentRecord.attributes.label("said"),
        )
        .join(
            AmendmentRecord,
            (AmendmentRecord.gallery_id == PlaceRecord.gallery_id) & (AmendmentRecord.uri == PlaceRecord.uri),
        )
        .join(ImageRecord, ImageRecord.id == PlaceRecord.image_id)
        .join(ContentRecord, ContentRecord.id == ImageRecord.content_id)
        .where(
            PlaceRecord.gallery_id == gallery_id,
            PlaceRecord.until_build.is_(None),
            AmendmentRecord.of_source.is_(False),
        )
        .order_by(PlaceRecord.uri)
    )


def _write(connection: Connection, gallery_id: int, change: _Change, number: int) -> None:
    place, digest = change.place, digest_of(change.attributes)
    end = update(PlaceRecord).where(PlaceRecord.id == place.id)
    connection.execute(end.values(until_build=number))
    file = update(FileRecord).where(FileRecord.gallery_id == gallery_id, FileRecord.uri == place.uri)
    found = (FindingRecord.gallery_id == gallery_id, FindingRecord.uri == place.uri)
    connection.execute(delete(FindingRecord).where(*found))
    if change.removed:
        connection.execute(file.values(reason=REMOVED))
        return
    if digest:
        record_attributes(connection, gallery_id, {digest: change.attributes})
    said = {"label": change.label, "attributes": digest}
    connection.execute(file.values(**said))
    row = {"gallery_id": gallery_id, "image_id": place.image_id, "uri": place.uri, "source": place.source}
    connection.execute(insert(PlaceRecord).values(**row, **said, since_build=number))


def _stated(connection: Connection, tenure: Tenure) -> Manifest:
    published = published_manifest(connection, tenure.folder, tenure.gallery_id)
    if published is None:
        raise CorruptGallery(
            f"The manifest of the published build of {tenure.gallery!r} is lost; "
            "`whyalike gallery repair` mends what it can."
        )
    encoder, storage = published.encoder, published.local_embeddings
    intact = IntactSegments(connection, tenure.folder, tenure.gallery_id, encoder.fingerprint, storage)
    return stated(
        connection,
        tenure.folder,
        tenure.gallery_id,
        intact,
        fingerprint=encoder.fingerprint,
        encoder_name=encoder.name,
        storage=storage,
    )
