"""The transaction that publishes a build: places, records and manifest, whole or not at all."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from gallery.builds.collection import forget_superseded
from gallery.builds.foreseen import foreseen_usual
from gallery.builds.planning import not_embedded, published_manifest, published_number, stated
from gallery.builds.usual import Measured
from gallery.errors import SourceUnavailable
from gallery.folders import GalleryFolder
from gallery.local_storage import LocalStorage
from gallery.manifest import Manifest, write_manifest
from gallery.records.builds import BuildRecord, BuildSegmentRecord
from gallery.records.files import FindingRecord
from gallery.records.galleries import GalleryRecord, SourceRecord
from gallery.records.indexes import BuildIndexRecord
from gallery.segments.intact import IntactSegments
from gallery.sources.roots import is_below
from gallery.surveys.changes import Changes
from gallery.surveys.seen import Coverage, count_images
from gallery.surveys.survey import Survey
from gallery.surveys.transition import READABLE, Transition


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
    """All that one publishing transaction needs to know."""

    folder: GalleryFolder
    gallery_id: int
    survey: Survey
    fingerprint: str
    encoder_name: str
    storage: LocalStorage
    allow_empty: bool
    published_at: datetime
    measured: Measured | None = None

    def foreseen(self, engine: Engine) -> "Publication":
        """The same, with what will be usual measured as it is foreseen; others may write meanwhile.

        Raises CorruptGallery.
        """
        with engine.begin() as connection:
            measured = foreseen_usual(
                connection, self.folder, self.gallery_id, self.fingerprint, self.storage
            )
        return replace(self, measured=measured)

    def write(self, connection: Connection) -> PublishReport:
        """Write places and build, and make readers open it; raises what `GalleryWriter.publish` says."""
        if not self.allow_empty:
            require_files(connection, self.gallery_id, self.survey)
        number = published_number(connection, self.gallery_id)
        intact = IntactSegments(connection, self.folder, self.gallery_id, self.fingerprint, self.storage)
        changes = self._change(connection, intact, number + 1)
        manifest = stated(
            connection,
            self.folder,
            self.gallery_id,
            intact,
            fingerprint=self.fingerprint,
            encoder_name=self.encoder_name,
            storage=self.storage,
            measured=self.measured,
        )
        if changes or manifest != published_manifest(connection, self.folder, self.gallery_id):
            manifest = manifest.model_copy(update={"build": number + 1})
            # Under the confirmed lease: nobody else's manifest is replaced.
            sha256 = write_manifest(self.folder.manifest(number + 1), manifest)
            name_published(connection, self.gallery_id, manifest, sha256=sha256, at=self.published_at)
        record_sources(connection, self.gallery_id, self.survey)
        forget_superseded(connection, self.gallery_id, manifest)
        covered = count_images(connection, self.gallery_id, self.survey.coverage)
        return _report(manifest, changes, unchanged=covered - changes.placed)

    def _change(self, connection: Connection, intact: IntactSegments, build: int) -> Changes:
        transition = Transition(connection, self.gallery_id)
        embedded = intact.holding(self.gallery_id, FindingRecord.checksum)
        changes = transition.decide(embedded)
        lost = select(func.count(), func.min(FindingRecord.uri)).where(
            FindingRecord.gallery_id == self.gallery_id, READABLE, ~embedded
        )
        count, uri = connection.execute(lost).one()
        if count:
            raise not_embedded(count, uri, self.encoder_name)
        if changes:
            transition.write(build)
        transition.take_over()
        return changes


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
        usual=manifest.usual and manifest.usual.model_dump(mode="json"),
        published_at=at,
    )
    build_id = connection.scalars(build.returning(BuildRecord.id)).one()
    named = [{"build_id": build_id, "segment_id": segment.id} for segment in manifest.segments]
    if named:
        connection.execute(insert(BuildSegmentRecord), named)
    if manifest.index.main is not None:
        index = insert(BuildIndexRecord).values(build_id=build_id, index_id=manifest.index.main.id)
        connection.execute(index)
    gallery = update(GalleryRecord).where(GalleryRecord.id == gallery_id)
    connection.execute(gallery.values(published_build=manifest.build))


def require_files(connection: Connection, gallery_id: int, survey: Survey) -> None:
    """Raises SourceUnavailable for a source that had images and in which no file was found."""
    for source in survey.empty:
        if count := count_images(connection, gallery_id, Coverage([source])):
            raise SourceUnavailable(
                f"{source.uri} held {count} images and is empty now, as when a disk is not mounted; "
                "mount it or, if it is meant to be, index it with --allow-empty."
            )


def listing_uris(connection: Connection, gallery_id: int) -> list[str]:
    """The sources of the gallery that are no folders."""
    statement = select(SourceRecord.uri).where(
        SourceRecord.gallery_id == gallery_id, SourceRecord.kind != "folder"
    )
    return list(connection.scalars(statement))


def record_sources(connection: Connection, gallery_id: int, survey: Survey) -> None:
    """Remember the sources that hold files, instead of whatever was remembered below them."""
    of_gallery = SourceRecord.gallery_id == gallery_id
    rows = connection.execute(select(SourceRecord.uri, SourceRecord.kind).where(of_gallery))
    known = {uri: kind for uri, kind in rows}  # noqa: C416 - rows are not quite pairs
    kinds = {source.uri: source.kind for source in survey.sources}
    wanted = set(kinds) - {source.uri for source in survey.empty}
    for uri in sorted(wanted - set(known)):
        connection.execute(insert(SourceRecord).values(gallery_id=gallery_id, uri=uri, kind=kinds[uri]))
    folders = [uri for uri, kind in kinds.items() if kind == "folder"]
    for uri in set(known) - wanted:
        is_within = known[uri] == "folder" and any(is_below(uri, folder) for folder in folders)
        if uri in kinds or is_within:
            connection.execute(delete(SourceRecord).where(of_gallery, SourceRecord.uri == uri))


def _report(manifest: Manifest, changes: Changes, *, unchanged: int) -> PublishReport:
    return PublishReport(
        build=manifest.build,
        images=manifest.images,
        added=changes.added,
        changed=changes.changed,
        moved=changes.moved,
        relabelled=changes.relabelled,
        removed=changes.removed,
        unchanged=unchanged,
        duplicates=manifest.images - manifest.contents,
    )
