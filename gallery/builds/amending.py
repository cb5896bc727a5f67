"""Publishing what people have said since: labels, attributes and removals, without a look at any source."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, delete, exists, insert, or_, select, update
from sqlalchemy.orm import aliased

from gallery.builds.foreseen import foreseen_without
from gallery.builds.planning import published_manifest, published_number, stated
from gallery.builds.republication import republish
from gallery.builds.usual import Measured
from gallery.errors import CorruptGallery
from gallery.filters.attributes import digest_of
from gallery.filters.filtering import attributes_by_image, record_attributes
from gallery.manifest import Manifest
from gallery.membership import chunks
from gallery.records.amendments import AmendmentRecord, RemovalRecord
from gallery.records.files import FileRecord, FindingRecord
from gallery.records.images import ContentRecord, ImageRecord, PlaceRecord
from gallery.segments.intact import IntactSegments
from gallery.surveys.amendments import Amendment
from gallery.surveys.seen import REMOVED
from gallery.tenure import Tenure


@dataclass(frozen=True, slots=True)
class AmendReport:
    """What was published; `build` is the number that readers open now, an old one if nothing had changed.

    `returned` images are back because their removals were revoked; where their embeddings are gone by now,
    the next run over their source brings them back.
    """

    gallery: str
    build: int
    removed: int
    amended: int
    returned: int


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
    return _publish(tenure, _changes)


def publish_removals(tenure: Tenure) -> AmendReport:
    """The same of removals, taken back or not, and of no label or attribute."""
    return _publish(tenure, _removals)


def _publish(tenure: Tenure, asked: Callable[[Connection, int], Iterator[_Change]]) -> AmendReport:
    with tenure.engine.connect() as connection:
        changes = list(asked(connection, tenure.gallery_id))
        returns = _returns(connection, tenure)
        build = published_number(connection, tenure.gallery_id)
        measured = _measured(connection, tenure, changes, returns)
    if changes or returns:

        def change(connection: Connection, number: int) -> Manifest:
            for each in changes:
                _write(connection, tenure.gallery_id, each, number)
            for place in returns:
                _begin_again(connection, tenure.gallery_id, place, number)
            return _stated(connection, tenure, measured)

        build = republish(tenure, change).build
    removed = sum(each.removed for each in changes)
    return AmendReport(tenure.gallery, build, removed, len(changes) - removed, len(returns))


def _measured(
    connection: Connection, tenure: Tenure, changes: Sequence[_Change], returns: Sequence[Row[Any]]
) -> Measured | None:
    """What will be usual where images come or go, measured while others may write.

    None where a segment cannot be read: that keeps nobody from removing what lies in it.
    """
    ended = {each.place.id for each in changes if each.removed}
    if not (ended or returns):
        return None
    returned = [place.image_id for place in returns]
    try:
        return foreseen_without(connection, tenure.folder, tenure.gallery_id, ended=ended, returned=returned)
    except CorruptGallery:
        return None


def _changes(connection: Connection, gallery_id: int) -> Iterator[_Change]:
    """The live places of which people say something else; only the holder of the lease changes places."""
    removed = list(_removals(connection, gallery_id))
    yield from removed
    ended = {each.place.id for each in removed}
    build = published_number(connection, gallery_id)
    for chunk in chunks(connection.execute(_amended_places(gallery_id)).all()):
        told = attributes_by_image(connection, gallery_id, build, [row.image_id for row in chunk])
        for row in chunk:
            says = Amendment(row.uri, row.labelled, row.said_label, row.said)
            before = told.get(row.image_id, {})
            label, attributes = says.label_for(row.label), says.attributes_for(before)
            if row.id not in ended and (label, attributes) != (row.label, before):
                yield _Change(row, False, label, attributes)


def _removals(connection: Connection, gallery_id: int) -> Iterator[_Change]:
    """The live places that show what was removed from them."""
    here = (RemovalRecord.gallery_id == PlaceRecord.gallery_id, RemovalRecord.uri == PlaceRecord.uri)
    statement = (
        _live_places(gallery_id)
        .join(RemovalRecord, and_(*here))
        .where(RemovalRecord.checksum == ContentRecord.checksum)
    )
    for row in connection.execute(statement).all():
        yield _Change(row, True, None, {})


def _amended_places(gallery_id: int) -> Select[Any]:
    """Those whose label or attributes people have said, with what they said."""
    here = (AmendmentRecord.gallery_id == PlaceRecord.gallery_id, AmendmentRecord.uri == PlaceRecord.uri)
    return (
        _live_places(gallery_id)
        .add_columns(
            AmendmentRecord.labelled,
            AmendmentRecord.label.label("said_label"),
            AmendmentRecord.attributes.label("said"),
        )
        .join(AmendmentRecord, and_(*here))
        .where(AmendmentRecord.of_source.is_(False))
    )


def _live_places(gallery_id: int) -> Select[Any]:
    names = ("id", "image_id", "uri", "label", "source")
    return (
        select(*(getattr(PlaceRecord, name) for name in names))
        .join(ImageRecord, ImageRecord.id == PlaceRecord.image_id)
        .join(ContentRecord, ContentRecord.id == ImageRecord.content_id)
        .where(PlaceRecord.gallery_id == gallery_id, PlaceRecord.until_build.is_(None))
        .order_by(PlaceRecord.uri)
    )


def _returns(connection: Connection, tenure: Tenure) -> list[Row[Any]]:
    """The last places of images that were removed and are so no more, each image once."""
    gallery_id = tenure.gallery_id
    published = published_manifest(connection, tenure.folder, gallery_id)
    found = connection.execute(_ended_places(gallery_id)).all()
    if published is None or not found:
        return []
    held = _intact(connection, tenure, published).contents()
    at = {row.uri: row for row in found if row.checksum in held}
    return list({row.image_id: row for row in at.values()}.values())


def _ended_places(gallery_id: int) -> Select[Any]:
    """Where files say that they were removed, and nobody says so any more; the last place comes last."""
    live = aliased(PlaceRecord)
    same = (RemovalRecord.uri == FileRecord.uri, RemovalRecord.checksum == FileRecord.checksum)
    names = ("id", "image_id", "uri", "label", "attributes", "source")
    return (
        select(*(getattr(PlaceRecord, name) for name in names), ContentRecord.checksum)
        .join(ImageRecord, ImageRecord.id == PlaceRecord.image_id)
        .join(ContentRecord, ContentRecord.id == ImageRecord.content_id)
        .join(
            FileRecord,
            and_(FileRecord.gallery_id == PlaceRecord.gallery_id, FileRecord.uri == PlaceRecord.uri),
        )
        .where(
            PlaceRecord.gallery_id == gallery_id,
            FileRecord.reason == REMOVED,
            FileRecord.checksum == ContentRecord.checksum,
            ~exists().where(RemovalRecord.gallery_id == FileRecord.gallery_id, *same),
            ~exists().where(
                live.gallery_id == gallery_id,
                live.until_build.is_(None),
                or_(live.uri == PlaceRecord.uri, live.image_id == PlaceRecord.image_id),
            ),
        )
        .order_by(PlaceRecord.id)
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


def _begin_again(connection: Connection, gallery_id: int, place: Row[Any], number: int) -> None:
    said = {"label": place.label, "attributes": place.attributes}
    row = {"gallery_id": gallery_id, "image_id": place.image_id, "uri": place.uri, "source": place.source}
    connection.execute(insert(PlaceRecord).values(**row, **said, since_build=number))
    file = update(FileRecord).where(FileRecord.gallery_id == gallery_id, FileRecord.uri == place.uri)
    connection.execute(file.values(reason=None, **said))
    found = (FindingRecord.gallery_id == gallery_id, FindingRecord.uri == place.uri)
    connection.execute(delete(FindingRecord).where(*found))


def _stated(connection: Connection, tenure: Tenure, measured: Measured | None) -> Manifest:
    published = published_manifest(connection, tenure.folder, tenure.gallery_id)
    if published is None:
        raise CorruptGallery(
            f"The manifest of the published build of {tenure.gallery!r} is lost; "
            "`whyalike gallery repair` mends what it can."
        )
    return stated(
        connection,
        tenure.folder,
        tenure.gallery_id,
        _intact(connection, tenure, published),
        fingerprint=published.encoder.fingerprint,
        encoder_name=published.encoder.name,
        storage=published.local_embeddings,
        measured=measured,
    )


def _intact(connection: Connection, tenure: Tenure, published: Manifest) -> IntactSegments:
    fingerprint, storage = published.encoder.fingerprint, published.local_embeddings
    return IntactSegments(connection, tenure.folder, tenure.gallery_id, fingerprint, storage)
