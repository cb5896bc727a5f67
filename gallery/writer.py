"""The one who writes a gallery: adds segments, publishes builds, and leaves nothing half-done to be seen."""

import hashlib
import re
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, select, update

from gallery.build import GalleryImage
from gallery.collection import forget_superseded, unnamed_paths
from gallery.database import writing
from gallery.difference import Place
from gallery.files import file_sha256, new_folder, remove
from gallery.folders import GalleryFolder
from gallery.leases import Lease
from gallery.local_embeddings import DEFAULT, LocalStorage
from gallery.manifest import write_manifest
from gallery.membership import in_build, members
from gallery.planning import Found, Plan, encoder_folders, plan, published_number
from gallery.publication import Publication, PublishReport, Unreadable, record_sources, record_unreadable
from gallery.records.galleries import GalleryRecord
from gallery.records.images import UnreadableRecord
from gallery.scanning import root_uri
from gallery.segments import EmbeddedContent, write_segment
from gallery.storage import IntactSegments, content_ids, record_segment

DIGEST_DIGITS = 16
"""64 bits tell the checkpoints of one encoder apart."""

_FINGERPRINT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class GalleryWriter:
    """Writes one gallery under its lease; made by `Galleries.writer`.

    For one thread at a time. Whatever writes raises GalleryLocked once another writer has taken the gallery
    over.
    """

    def __init__(
        self,
        folder: GalleryFolder,
        engine: Engine,
        gallery_id: int,
        lease: Lease,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._folder = folder
        self._engine = engine
        self._gallery_id = gallery_id
        self._lease = lease
        self._clock = clock

    def live(self) -> list[GalleryImage]:
        """The images of the published build by uri; none before the first."""
        with self._engine.connect() as connection:
            number = published_number(connection, self._gallery_id)
            rows = connection.execute(members(in_build(self._gallery_id, number)))
            return sorted((GalleryImage(*row) for row in rows), key=lambda image: image.uri)

    def unreadable(self) -> list[Unreadable]:
        """The files that could not be read when their roots were scanned last, by uri."""
        statement = select(UnreadableRecord.uri, UnreadableRecord.checksum, UnreadableRecord.reason).where(
            UnreadableRecord.gallery_id == self._gallery_id
        )
        with self._engine.connect() as connection:
            return [Unreadable(*row) for row in connection.execute(statement.order_by(UnreadableRecord.uri))]

    def embedded(self, fingerprint: str, *, storage: LocalStorage | None = None) -> dict[str, int]:
        """Checksum to content id of all that is embedded already in intact segments, published or not.

        Where a storage is named, only what keeps local embeddings in it counts.
        """
        with self._engine.connect() as connection:
            intact = IntactSegments(connection, self._folder, self._gallery_id, fingerprint, storage)
            contents = intact.contents()
        return {checksum: stored.content_id for checksum, stored in contents.items()}

    def encoder_checkpoint(self) -> Path | None:
        """The checkpoint of the published build, or else the one kept last, or else None."""
        with self._engine.connect() as connection:
            folder = next(encoder_folders(connection, self._gallery_id), None)
        return self._folder.encoder(folder) if folder else None

    def keep_checkpoint(self, source: Path, fingerprint: str) -> Path:
        """Copy a checkpoint's folder into the gallery, durably, for the builds to come; returns the copy.

        It lies under its fingerprint and the digest of the files that were given. A copy that is there
        already is taken as it is, with the calibration that it was given in place since.
        """
        folder = _encoder_folder(source, fingerprint)
        kept = self._folder.encoder(folder)
        if not kept.exists():
            with new_folder(kept) as unfinished:
                shutil.copytree(source, unfinished, dirs_exist_ok=True)
        with self._writing() as connection:
            gallery = update(GalleryRecord).where(GalleryRecord.id == self._gallery_id)
            connection.execute(gallery.values(encoder_folder=folder))
        return kept

    def add_segment(
        self, contents: Sequence[EmbeddedContent], *, fingerprint: str, storage: LocalStorage = DEFAULT
    ) -> None:
        """Keep what an encoder made of some contents, durably before it returns, to be published later.

        Contents that are embedded already, and repetitions, are left out. No old file is touched.
        """
        fresh = self._fresh(contents, fingerprint, storage)
        if not fresh:
            return
        with self._writing() as connection:
            known = content_ids(connection, self._gallery_id, fresh)
        ids = [known[content.checksum] for content in fresh]
        name = uuid.uuid4().hex
        files = write_segment(self._folder.segment(name), fresh, ids, storage=storage)
        with self._writing() as connection:
            record_segment(
                connection,
                self._gallery_id,
                name=name,
                fingerprint=fingerprint,
                contents=fresh,
                ids=ids,
                files=files,
            )

    def publish(
        self,
        places: Sequence[Place],
        *,
        roots: Sequence[Path],
        fingerprint: str,
        encoder_name: str,
        storage: LocalStorage = DEFAULT,
        unreadable: Sequence[Unreadable] = (),
        unlisted: Sequence[str] = (),
        allow_empty: bool = False,
    ) -> PublishReport:
        """Make what was found below the roots the gallery that readers open, whole or not at all.

        Places below the roots that were not found are ended; places below other roots, and in the folders
        that were `unlisted` (uris), stay as they are.
        Nothing new is published if places, segments and encoder are those of the published build.
        Raises SourceUnavailable if a root that had images holds no file now (an unmounted disk), unless
        `allow_empty`; NotEmbedded if the content of any place, those below other roots included, is not
        embedded by this encoder and kept in this storage; ValueError if a place lies below none of the roots,
        two lie at one uri, or no checkpoint of this fingerprint was kept.
        """
        found = Found(places, unreadable, [root_uri(root) for root in roots], unlisted)
        with self._engine.connect() as connection:
            planned = plan(
                connection,
                self._folder,
                self._gallery_id,
                found,
                fingerprint=fingerprint,
                encoder_name=encoder_name,
                storage=storage,
                allow_empty=allow_empty,
            )
        with self._writing() as connection:
            if (
                planned.is_news
            ):  # the manifest is written under the confirmed lease: nobody else's is replaced
                self._publication(planned).write(connection)
            record_sources(connection, self._gallery_id, found.roots, empty=found.empty_roots())
            record_unreadable(connection, self._gallery_id, found.unreadable, is_covered=found.covers)
            forget_superseded(connection, self._gallery_id, planned.manifest)
        self.collect()
        return _report(planned)

    def collect(self) -> None:
        """Remove the files that no record names: what killed writers left, what `publish` has forgotten."""
        with self._writing() as connection:
            unnamed = unnamed_paths(connection, self._folder, self._gallery_id)
        for path in unnamed:  # one that was taken over since must not remove what the heir is making
            with self._writing():
                remove(path)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with writing(self._engine) as connection:
            self._lease.confirm(connection)
            yield connection

    def _fresh(
        self, contents: Iterable[EmbeddedContent], fingerprint: str, storage: LocalStorage
    ) -> list[EmbeddedContent]:
        by_checksum = {content.checksum: content for content in contents}
        with self._engine.connect() as connection:
            intact = IntactSegments(connection, self._folder, self._gallery_id, fingerprint, storage)
            held = intact.among(by_checksum)
        return [content for checksum, content in by_checksum.items() if checksum not in held]

    def _publication(self, planned: Plan) -> Publication:
        path = self._folder.manifest(planned.manifest.build)
        return Publication(
            gallery_id=self._gallery_id,
            manifest=planned.manifest,
            manifest_sha256=write_manifest(path, planned.manifest),
            changes=planned.changes,
            content_ids=planned.content_ids,
            published_at=self._clock(),
        )


def _report(planned: Plan) -> PublishReport:
    changes, manifest = planned.changes, planned.manifest
    return PublishReport(
        build=manifest.build,
        images=manifest.images,
        added=changes.added,
        changed=changes.changed,
        moved=changes.moved,
        relabelled=changes.relabelled,
        removed=changes.removed,
        unchanged=changes.unchanged,
        duplicates=manifest.images - manifest.contents,
    )


def _encoder_folder(checkpoint: Path, fingerprint: str) -> str:
    if not _FINGERPRINT.fullmatch(fingerprint):
        raise ValueError(f"A fingerprint is a digest's digits, not {fingerprint!r}.")
    digest = hashlib.sha256()
    for path in sorted(path for path in checkpoint.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(checkpoint).as_posix()}\0{file_sha256(path)}\n".encode())
    return f"{fingerprint}/{digest.hexdigest()[:DIGEST_DIGITS]}"
