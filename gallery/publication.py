"""The transaction that publishes a build, and the questions that prepare it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.orm import aliased

from gallery.difference import Difference, EndedPlace, OldPlace
from gallery.manifest import Manifest
from gallery.membership import chunks, in_build, members
from gallery.records.builds import BuildRecord, BuildSegmentRecord
from gallery.records.galleries import GalleryRecord, SourceRecord
from gallery.records.images import ContentRecord, ImageRecord, PlaceRecord, UnreadableRecord
from gallery.scanning import is_below


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that could not be read, and why; `checksum` is None where it had no bytes to be named by."""

    uri: str
    checksum: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class PublishReport:
    """What publishing did; `build` is the number that readers now open, an old one if nothing had changed.

    Each place found is counted once in unchanged, added or changed, or else in moved, relabelled or both.
    `removed` counts images that ended without changed bytes at their uri. `images` are all live ones of the
    build, `duplicates` those among them beyond the first of each content.
    """

    build: int
    images: int
    added: int
    changed: int
    moved: int
    relabelled: int
    removed: int
    unchanged: int
    duplicates: int


@dataclass(frozen=True, slots=True)
class Publication:
    """All that one publishing transaction writes."""

    gallery_id: int
    manifest: Manifest
    manifest_sha256: str
    changes: Difference
    content_ids: Mapping[str, int]
    published_at: datetime

    def write(self, connection: Connection) -> None:
        """Write places and build, and make readers open it."""
        self._end_places(connection)
        self._begin_places(connection)
        name_published(
            connection, self.gallery_id, self.manifest, sha256=self.manifest_sha256, at=self.published_at
        )

    def _end_places(self, connection: Connection) -> None:
        image_ids = [old.image_id for old in self.changes.ended]
        image_ids += [old.image_id for old, _ in self.changes.displaced]
        live = update(PlaceRecord.__table__).where(  # type: ignore[arg-type]
            PlaceRecord.image_id == bindparam("ended"), PlaceRecord.until_build.is_(None)
        )
        if image_ids:
            ended = [{"ended": image_id} for image_id in image_ids]
            connection.execute(live.values(until_build=self.manifest.build), ended)

    def _begin_places(self, connection: Connection) -> None:
        begun = [(old.image_id, place) for old, place in self.changes.displaced]
        begun += self.changes.restored
        begun += zip(self._new_image_ids(connection), self.changes.new, strict=True)
        rows = [
            {
                "gallery_id": self.gallery_id,
                "image_id": image_id,
                "uri": place.uri,
                "label": place.label,
                "since_build": self.manifest.build,
            }
            for image_id, place in begun
        ]
        if rows:
            connection.execute(insert(PlaceRecord), rows)

    def _new_image_ids(self, connection: Connection) -> Sequence[int]:
        rows = [{"content_id": self.content_ids[place.checksum]} for place in self.changes.new]
        if not rows:
            return []
        ordered = insert(ImageRecord).returning(ImageRecord.id, sort_by_parameter_order=True)
        return connection.scalars(ordered, rows).all()


def name_published(
    connection: Connection, gallery_id: int, manifest: Manifest, *, sha256: str, at: datetime
) -> None:
    """Record a build whose manifest is durable (and has this SHA-256), and make readers open it."""
    build = insert(BuildRecord).values(
        gallery_id=gallery_id,
        number=manifest.build,
        fingerprint=manifest.encoder.fingerprint,
        encoder_name=manifest.encoder.name,
        encoder_folder=manifest.encoder.folder,
        images=manifest.images,
        contents=manifest.contents,
        labels=manifest.labels,
        manifest_sha256=sha256,
        published_at=at,
    )
    build_id = connection.scalars(build.returning(BuildRecord.id)).one()
    named = [{"build_id": build_id, "segment_id": segment.id} for segment in manifest.segments]
    if named:
        connection.execute(insert(BuildSegmentRecord), named)
    gallery = update(GalleryRecord).where(GalleryRecord.id == gallery_id)
    connection.execute(gallery.values(published_build=manifest.build))


def live_places(connection: Connection, gallery_id: int, build: int) -> Iterator[OldPlace]:
    """The places of a build."""
    for image_id, uri, label, checksum, _, _ in connection.execute(members(in_build(gallery_id, build))):
        yield OldPlace(image_id, uri, label, checksum)


def ended_places(connection: Connection, gallery_id: int, uris: Iterable[str]) -> Iterator[EndedPlace]:
    """The places that ended at these uris, of images that live nowhere now."""
    elsewhere = aliased(PlaceRecord)
    statement = (
        select(ImageRecord.id, PlaceRecord.uri, ContentRecord.checksum, PlaceRecord.until_build)
        .join(ImageRecord, ImageRecord.id == PlaceRecord.image_id)
        .join(ContentRecord, ContentRecord.id == ImageRecord.content_id)
        .where(
            PlaceRecord.gallery_id == gallery_id,
            PlaceRecord.until_build.is_not(None),
            ~select(elsewhere.id)
            .where(elsewhere.image_id == ImageRecord.id, elsewhere.until_build.is_(None))
            .exists(),
        )
    )
    for chunk in chunks(uris):
        for row in connection.execute(statement.where(PlaceRecord.uri.in_(chunk))):
            image_id, uri, checksum, until_build = row
            assert until_build is not None, "the statement asks for ended places"
            yield EndedPlace(image_id, uri, checksum, until_build)


def record_sources(
    connection: Connection, gallery_id: int, roots: Sequence[str], *, empty: Sequence[str]
) -> None:
    """Remember the scanned roots that hold files, instead of whatever was remembered below the roots."""
    of_gallery = SourceRecord.gallery_id == gallery_id
    known = set(connection.scalars(select(SourceRecord.uri).where(of_gallery)))
    wanted = set(roots) - set(empty)
    for root in sorted(wanted - known):
        connection.execute(insert(SourceRecord).values(gallery_id=gallery_id, uri=root))
    for uri in known - wanted:
        if any(is_below(uri, root) for root in roots):
            connection.execute(delete(SourceRecord).where(of_gallery, SourceRecord.uri == uri))


def record_unreadable(
    connection: Connection,
    gallery_id: int,
    unreadable: Sequence[Unreadable],
    *,
    is_covered: Callable[[str], bool],
) -> None:
    """Replace what is remembered of the files that could not be read, where the scan has looked for them."""
    known = select(UnreadableRecord.id, UnreadableRecord.uri).where(UnreadableRecord.gallery_id == gallery_id)
    again = {each.uri for each in unreadable}
    old = [row.id for row in connection.execute(known) if row.uri in again or is_covered(row.uri)]
    for chunk in chunks(old):
        connection.execute(delete(UnreadableRecord).where(UnreadableRecord.id.in_(chunk)))
    rows = [
        {"gallery_id": gallery_id, "uri": each.uri, "checksum": each.checksum, "reason": each.reason}
        for each in unreadable
    ]
    if rows:
        connection.execute(insert(UnreadableRecord), rows)
