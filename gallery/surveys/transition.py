"""From the findings of a run to the places of the next build, in SQL and a page at a time.

Who keeps an image_id is decided by `gallery.difference`, for all places of some contents at a
time: two contents have no say in each other's images.
"""

from collections.abc import Iterator, Sequence

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    true,
    update,
)

from gallery.difference import Difference, OldPlace, Place, difference
from gallery.membership import ended_places
from gallery.records.files import FileRecord, FindingRecord
from gallery.records.images import ContentRecord, ImageRecord, PlaceRecord
from gallery.surveys.changes import Changes
from gallery.surveys.seen import FIELDS, PAGE

_F = FindingRecord

READABLE = and_(_F.checksum.is_not(None), _F.reason.is_(None))
ARRIVED = and_(READABLE, _F.checksum.is_distinct_from(_F.old_checksum))
"""Content begins at the uri."""
LEFT = and_(
    _F.old_image_id.is_not(None),
    (_F.checksum.is_(None) | _F.reason.is_not(None) | (_F.checksum != _F.old_checksum)),
)
"""The image that was at the uri is there no more."""
RELABELLED = and_(
    READABLE,
    _F.checksum == _F.old_checksum,
    _F.label.is_distinct_from(_F.old_label) | _F.attributes.is_distinct_from(_F.old_attributes),
)
"""The image stays where it is, and something else is said of it."""

SAID = ("uri", "label", "attributes", "source")
"""What a place takes over from what was found."""


class Transition:
    """The change of a gallery's places that its findings ask for; for one transaction, which `build` ends."""

    def __init__(self, connection: Connection, gallery_id: int) -> None:
        self._connection = connection
        self._gallery_id = gallery_id
        self._of_gallery = _F.gallery_id == gallery_id

    def decide(self, embedded: ColumnElement[bool]) -> Changes:
        """Decide who keeps an image_id; what cannot be read is so wherever its content lies.

        `embedded` says of a finding that its content is embedded.
        """
        self._spread_reasons(embedded)
        self._look_up_old()
        moved_and_relabelled = 0
        for checksums in self._known_contents():
            found = self._difference(checksums)
            self._take_over(found)
            moved_and_relabelled += found.relabelled
        return self._changes(moved_and_relabelled)

    def write(self, build: int) -> None:
        """End and begin places, so that they are those of this build."""
        here = select(_F.uri).where(self._of_gallery, LEFT | RELABELLED)
        live = update(PlaceRecord).where(
            PlaceRecord.gallery_id == self._gallery_id, PlaceRecord.until_build.is_(None)
        )
        self._connection.execute(live.where(PlaceRecord.uri.in_(here)).values(until_build=build))
        same = update(_F).where(self._of_gallery, RELABELLED)
        self._connection.execute(same.values(image_id=_F.old_image_id))
        self._begin_known(build)
        self._begin_new(build)

    def take_over(self) -> None:
        """Make what was found what was seen, and forget the findings."""
        self._tell_sources()
        found = select(_F.uri).where(self._of_gallery)
        self._connection.execute(
            delete(FileRecord).where(FileRecord.gallery_id == self._gallery_id, FileRecord.uri.in_(found))
        )
        names = ["gallery_id", *FIELDS]
        files = select(*(getattr(_F, name) for name in names)).where(
            self._of_gallery, _F.checksum.is_not(None) | _F.reason.is_not(None)
        )
        self._connection.execute(insert(FileRecord).from_select(names, files))
        self._connection.execute(delete(_F).where(self._of_gallery))

    def _tell_sources(self) -> None:
        """Say of places that go on through which source they are found now."""
        stayed = select(_F.uri).where(self._of_gallery, READABLE, _F.checksum == _F.old_checksum)
        source = select(_F.source).where(self._of_gallery, _F.uri == PlaceRecord.uri).scalar_subquery()
        live = update(PlaceRecord).where(
            PlaceRecord.gallery_id == self._gallery_id, PlaceRecord.until_build.is_(None)
        )
        self._connection.execute(live.where(PlaceRecord.uri.in_(stayed)).values(source=source))

    def _spread_reasons(self, embedded: ColumnElement[bool]) -> None:
        other = FindingRecord.__table__.alias()
        found = (other.c.gallery_id == _F.gallery_id, other.c.checksum == _F.checksum)
        seen = (FileRecord.gallery_id == _F.gallery_id, FileRecord.checksum == _F.checksum)
        reasons = (
            select(func.min(other.c.reason)).where(*found).correlate(_F).scalar_subquery(),
            select(func.min(FileRecord.reason))
            .where(*seen, FileRecord.reason.is_not(None))
            .correlate(_F)
            .scalar_subquery(),
        )
        statement = update(_F).where(self._of_gallery, READABLE, ~embedded)
        self._connection.execute(statement.values(reason=func.coalesce(*reasons)))

    def _look_up_old(self) -> None:
        self._connection.execute(
            update(_F)
            .where(
                self._of_gallery,
                PlaceRecord.gallery_id == self._gallery_id,
                PlaceRecord.uri == _F.uri,
                PlaceRecord.until_build.is_(None),
                ImageRecord.id == PlaceRecord.image_id,
                ContentRecord.id == ImageRecord.content_id,
            )
            .values(
                old_image_id=PlaceRecord.image_id,
                old_checksum=ContentRecord.checksum,
                old_label=PlaceRecord.label,
                old_attributes=PlaceRecord.attributes,
            ),
        )

    def _known_contents(self) -> Iterator[Sequence[str]]:
        """Pages of the checksums of arrived contents that were images before."""
        known = (
            exists()
            .where(
                ContentRecord.gallery_id == self._gallery_id,
                ContentRecord.checksum == _F.checksum,
                ImageRecord.content_id == ContentRecord.id,
            )
            .correlate(_F)
        )
        statement = select(_F.checksum).distinct().where(self._of_gallery, ARRIVED, known)
        last = ""
        while True:
            page = self._connection.scalars(
                statement.where(_F.checksum > last).order_by(_F.checksum).limit(PAGE)
            ).all()
            checksums = [checksum for checksum in page if checksum is not None]
            if checksums:
                yield checksums
                last = checksums[-1]
            if len(page) < PAGE:
                return

    def _difference(self, checksums: Sequence[str]) -> Difference:
        arrived = select(_F.uri, _F.label, _F.checksum).where(
            self._of_gallery, ARRIVED, _F.checksum.in_(checksums)
        )
        left = select(_F.old_image_id, _F.uri, _F.old_label, _F.old_checksum).where(
            self._of_gallery, LEFT, _F.old_checksum.in_(checksums)
        )
        places = [
            Place(uri, label, checksum)
            for uri, label, checksum in self._connection.execute(arrived)
            if checksum is not None
        ]
        old = [
            OldPlace(image_id, uri, label, checksum)
            for image_id, uri, label, checksum in self._connection.execute(left)
            if image_id is not None and checksum is not None
        ]
        earlier = ended_places(self._connection, self._gallery_id, [place.uri for place in places])
        return difference(old, places, earlier)

    def _take_over(self, found: Difference) -> None:
        come: list[dict[str, object]] = [
            {"at": place.uri, "image": old.image_id, "comes": True} for old, place in found.kept
        ]
        come += [{"at": place.uri, "image": image_id, "comes": False} for image_id, place in found.restored]
        at = update(_F.__table__).where(  # type: ignore[arg-type]
            self._of_gallery, _F.uri == bindparam("at")
        )
        if come:
            taken = at.values(image_id=bindparam("image"), comes_from_elsewhere=bindparam("comes"))
            self._connection.execute(taken, come)
        if found.kept:
            gone = [{"at": old.uri} for old, _ in found.kept]
            self._connection.execute(at.values(goes_elsewhere=True), gone)

    def _changes(self, moved_and_relabelled: int) -> Changes:
        ended = and_(LEFT, _F.goes_elsewhere.is_not(true()))
        begun = and_(ARRIVED, _F.comes_from_elsewhere.is_not(true()))
        changed, stayed = self._count(ended, begun), self._count(RELABELLED)
        return Changes(
            added=self._count(begun) - changed,
            changed=changed,
            moved=self._count(_F.comes_from_elsewhere.is_(true())),
            relabelled=stayed + moved_and_relabelled,
            stayed=stayed,
            removed=self._count(ended) - changed,
        )

    def _begin_known(self, build: int) -> None:
        names = ["gallery_id", "image_id", *SAID, "since_build"]
        said = [getattr(_F, name) for name in SAID]
        known = select(_F.gallery_id, _F.image_id, *said, literal(build)).where(
            self._of_gallery, _F.image_id.is_not(None)
        )
        self._connection.execute(insert(PlaceRecord).from_select(names, known.order_by(_F.uri)))

    def _begin_new(self, build: int) -> None:
        """Give the images that begin their ids, in the order of their uris."""
        statement = (
            select(ContentRecord.id, *(getattr(_F, name) for name in SAID))
            .join(
                ContentRecord,
                and_(ContentRecord.gallery_id == _F.gallery_id, ContentRecord.checksum == _F.checksum),
            )
            .where(self._of_gallery, ARRIVED, _F.image_id.is_(None))
            .order_by(_F.uri)
            .limit(PAGE)
        )
        last = ""
        while page := self._connection.execute(statement.where(_F.uri > last)).all():
            ordered = insert(ImageRecord).returning(ImageRecord.id, sort_by_parameter_order=True)
            image_ids = self._connection.scalars(ordered, [{"content_id": row.id} for row in page])
            same = {"gallery_id": self._gallery_id, "since_build": build}
            rows = [
                {**same, "image_id": image_id, **{name: getattr(row, name) for name in SAID}}
                for image_id, row in zip(image_ids, page, strict=True)
            ]
            self._connection.execute(insert(PlaceRecord), rows)
            last = page[-1].uri

    def _count(self, *conditions: ColumnElement[bool]) -> int:
        statement = select(func.count()).select_from(_F).where(self._of_gallery, *conditions)
        return self._connection.scalar(statement) or 0
