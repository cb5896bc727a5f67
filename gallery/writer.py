"""The one who writes a gallery: adds segments, publishes builds, and leaves nothing half-done to be seen."""

import shutil
import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, select, update

from gallery.build import GalleryImage
from gallery.collection import forget_superseded, remove_all, unnamed_paths
from gallery.database import writing
from gallery.difference import Difference, OldPlace, Place, difference
from gallery.errors import NotEmbedded, SourceUnavailable
from gallery.files import file_sha256, new_folder
from gallery.folders import GalleryFolder
from gallery.leases import Lease
from gallery.manifest import EncoderClaims, IndexClaims, Manifest, read_manifest, write_manifest
from gallery.membership import Member, members
from gallery.publication import (
    Publication,
    PublishReport,
    Unreadable,
    ended_places,
    live_places,
    record_sources,
    record_unreadable,
)
from gallery.records.builds import BuildRecord
from gallery.records.galleries import GalleryRecord, SourceRecord
from gallery.records.images import UnreadableRecord
from gallery.scanning import is_below, root_uri
from gallery.segments import EmbeddedContent, write_segment
from gallery.storage import IntactSegments, Stored, content_ids, record_segment


class GalleryWriter:
    """Writes one gallery under its lease; made by `Galleries.writer`.

    Every method raises GalleryLocked once another writer has taken the gallery over.
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
            rows = connection.execute(members(self._gallery_id, _published(connection, self._gallery_id)))
            return sorted((GalleryImage(*row) for row in rows), key=lambda image: image.uri)

    def roots(self) -> list[Path]:
        """The roots that published builds were made of: all must be scanned again for another encoder."""
        statement = select(SourceRecord.uri).where(SourceRecord.gallery_id == self._gallery_id)
        with self._engine.connect() as connection:
            return [Path(uri) for uri in connection.scalars(statement.order_by(SourceRecord.uri))]

    def unreadable(self) -> list[Unreadable]:
        """The files that could not be read when their roots were scanned last, by uri."""
        statement = select(UnreadableRecord.uri, UnreadableRecord.checksum, UnreadableRecord.reason).where(
            UnreadableRecord.gallery_id == self._gallery_id
        )
        with self._engine.connect() as connection:
            return [Unreadable(*row) for row in connection.execute(statement.order_by(UnreadableRecord.uri))]

    def embedded(self, fingerprint: str) -> dict[str, int]:
        """Checksum to content id of all that is embedded already in intact segments, published or not."""
        with self._engine.connect() as connection:
            contents = self._intact(connection, fingerprint).contents()
        return {checksum: stored.content_id for checksum, stored in contents.items()}

    def encoder_checkpoint(self) -> Path | None:
        """The checkpoint of the published build, or before the first the one kept last; None if there is none."""
        with self._engine.connect() as connection:
            folder = self._published_encoder(connection) or self._kept_encoder(connection)
        return self._folder.encoder(folder) if folder else None

    def keep_checkpoint(self, source: Path, fingerprint: str) -> Path:
        """Copy a checkpoint's folder into the gallery, durably, for the builds to come; returns the copy.

        It lies under its fingerprint and the digest of its files: recalibrating an encoder makes a new copy
        and changes no old build. A copy that is there already is taken as it is.
        """
        folder = f"{_folder_name(fingerprint)}/{_digest(source)}"
        kept = self._folder.encoder(folder)
        if not kept.exists():
            with new_folder(kept) as unfinished:
                shutil.copytree(source, unfinished, dirs_exist_ok=True)
        with self._writing() as connection:
            gallery = update(GalleryRecord).where(GalleryRecord.id == self._gallery_id)
            connection.execute(gallery.values(encoder_folder=folder))
        return kept

    def add_segment(self, contents: Sequence[EmbeddedContent], *, fingerprint: str) -> None:
        """Keep what an encoder made of some contents, durably before it returns, to be published later.

        Contents that are embedded already, and repetitions, are left out. No old file is touched.
        """
        fresh = self._fresh(contents, fingerprint)
        if not fresh:
            return
        with self._writing() as connection:
            known = content_ids(connection, self._gallery_id, fresh)
        ids = [known[content.checksum] for content in fresh]
        name = uuid.uuid4().hex
        files = write_segment(self._folder.segment(name), fresh, ids)
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
