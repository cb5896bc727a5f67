"""All galleries under one home and one database: list them, open one, write one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import cast

from sqlalchemy import Engine, select

from gallery.backups.restoration import RestoreReport, restore
from gallery.beginning import Begun, begun
from gallery.builds.build import Build
from gallery.builds.opened import opened_build
from gallery.builds.retention import build_numbers, retire
from gallery.clock import utc_now
from gallery.database import reading, require_schema
from gallery.deletion import delete_gallery, delete_if_empty, remove_doomed, remove_folder
from gallery.errors import (
    BuildNotFound,
    GalleryDoomed,
    GalleryExists,
    GalleryLocked,
    GalleryNotFound,
    NothingPublished,
)
from gallery.filters.attributes import is_storable
from gallery.folders import GalleryFolder
from gallery.kept_queries import KeepingLimits, KeptQueries
from gallery.leases import Lease
from gallery.local_storage import LocalStorage
from gallery.records.galleries import GalleryRecord, SourceRecord
from gallery.segments.storage import local_storage
from gallery.settings import GallerySettings
from gallery.site import Site
from gallery.sources.source import Kind, NamedSource
from gallery.summaries import GallerySummary, published_build, summaries
from gallery.tenure import Tenure
from gallery.writer import GalleryWriter


class Galleries:
    """The galleries below `home`, remembered in the database behind `engine` (see `open_engine`).

    Raises SchemaOutdated if the database was not migrated to this version's schema. Safe for many threads.
    """

    def __init__(
        self,
        home: Path,
        engine: Engine,
        *,
        settings: GallerySettings | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        require_schema(engine)
        self._home = home
        self._engine = engine
        self._settings = settings or GallerySettings()
        self._clock = clock

    def require_schema(self) -> None:
        """Raises SchemaOutdated where the database has been given another schema since it was opened."""
        require_schema(self._engine)

    @property
    def _on_gpu(self) -> bool:
        return self._settings.index.device == "gpu"

    @property
    def engine(self) -> Engine:
        """Where the records are."""
        return self._engine

    def names(self) -> list[str]:
        """All galleries, by name."""
        with self._engine.connect() as connection:
            return list(connection.scalars(select(GalleryRecord.name).order_by(GalleryRecord.name)))

    def summaries(self) -> list[GallerySummary]:
        """All galleries at a glance, by name."""
        with reading(self._engine) as connection:
            return summaries(connection)

    def published(self) -> list[GallerySummary]:
        """Those of the galleries that can be searched, by name."""
        return [each for each in self.summaries() if each.build is not None and not each.is_doomed]

    def roots(self, name: str) -> list[Path]:
        """Those of the sources of a gallery that are folders or files of this machine, by uri."""
        return [each.path for each in self.sources(name) if each.kind == "folder"]

    def sources(self, name: str) -> list[NamedSource]:
        """What a gallery is made of, by uri: for another encoder all of it must be looked into again.

        A source that was found empty, or a folder below one scanned later, is none any more; a gallery that
        is not there has none.
        """
        statement = (
            select(SourceRecord.kind, SourceRecord.uri)
            .join(GalleryRecord, GalleryRecord.id == SourceRecord.gallery_id)
            .where(GalleryRecord.name == name)
            .order_by(SourceRecord.uri)
        )
        with self._engine.connect() as connection:
            return [NamedSource(cast(Kind, kind), uri) for kind, uri in connection.execute(statement)]

    def local_storage(self, name: str) -> LocalStorage | None:
        """How a gallery keeps local embeddings; None for one that holds nothing or is not there."""
        statement = select(GalleryRecord.id).where(GalleryRecord.name == name)
        with self._engine.connect() as connection:
            gallery_id = connection.scalar(statement)
            return None if gallery_id is None else local_storage(connection, gallery_id)

    def published_build(self, name: str) -> int:
        """The number of the build that `open` would open; one look-up, to notice a new one.

        Raises GalleryNotFound, also for one that is being deleted, and NothingPublished.
        """
        with reading(self._engine) as connection:
            found = published_build(connection, name) if is_storable(name) else None
        if found is None:
            raise self._not_found(name)
        published, deleting = found
        if deleting is not None:
            raise GalleryDoomed(f"The gallery {name!r} is being deleted, by job {deleting}.")
        if published is None:
            raise NothingPublished(
                f"The gallery {name!r} has no published build yet; index a folder into it."
            )
        return published

    def last_build(self, name: str) -> int | None:
        """The same, or None: before the first build, and where there is no gallery."""
        try:
            return self.published_build(name)
        except (GalleryNotFound, NothingPublished):
            return None

    def open(self, name: str, *, build: int | None = None) -> Build:
        """The published build, or an older one that is kept; it stays while it is open.

        Raises GalleryNotFound, NothingPublished, BuildNotFound and CorruptGallery.
        """
        while True:
            number = self.published_build(name) if build is None else build
            opened = opened_build(GalleryFolder(self._home, name), self._engine, number, on_gpu=self._on_gpu)
            if opened is not None:
                return opened
            if build is not None:
                raise self._no_build(name, build)

    def kept_queries(self, limits: KeepingLimits) -> KeptQueries:
        """The uploaded queries that are kept beside the galleries for a while."""
        return KeptQueries(self._home, self._engine, limits, clock=self._clock)

    def site(self, name: str) -> Site:
        """Where a gallery is, to look into it; raises InvalidGalleryName and GalleryNotFound."""
        folder = GalleryFolder(self._home, name)
        statement = select(GalleryRecord.id).where(GalleryRecord.name == name)
        with self._engine.connect() as connection:
            gallery_id = connection.scalar(statement)
        if gallery_id is None:
            raise self._not_found(name)
        return Site(folder, self._engine, gallery_id)

    @contextmanager
    def tenure(self, name: str, *, create: bool = False) -> Iterator[Tenure]:
        """The right to write a gallery while the block runs, one at a time; a new one only with `create`.

        A new one that the block raises from before anything is embedded goes again.
        Raises InvalidGalleryName, GalleryNotFound, and GalleryLocked while another one writes.
        """
        folder = GalleryFolder(self._home, name)
        gallery_id, is_new = self._begun(folder, create=create)
        lease = Lease(self._engine, gallery_id, name, clock=self._clock)
        lease.acquire()
        tenure = Tenure(Site(folder, self._engine, gallery_id), lease, self._clock)
        try:
            yield tenure
        except Exception:
            if is_new:
                delete_if_empty(tenure)
            raise
        finally:
            lease.release()

    def create(self, name: str) -> Site:
        """A new gallery with nothing in it; raises InvalidGalleryName and GalleryExists."""
        folder = GalleryFolder(self._home, name)
        if name in self.names():
            raise GalleryExists(f"There is a gallery {name!r} already; choose another name, or delete it.")
        return Site(folder, self._engine, begun(self._engine, folder, at=self._clock()).gallery_id)

    def delete(self, name: str) -> None:
        """Delete a gallery, or finish deleting it; originals are not touched.

        Raises InvalidGalleryName, GalleryNotFound, GalleryInUse while somebody has a build of it open, and
        GalleryLocked while another one writes it.
        """
        folder = GalleryFolder(self._home, name)
        remove_doomed(self._home)
        if remove_folder(self._engine, folder):
            return
        with self.tenure(name) as tenure:
            delete_gallery(tenure)

    def restore(self, backup: Path, *, name: str | None = None) -> RestoreReport:
        """Make a gallery of a backup; see `gallery.backups.restoration.restore`."""
        return restore(self._home, self._engine, backup, name=name)

    @contextmanager
    def writer(self, name: str, *, create: bool = True) -> Iterator[GalleryWriter]:
        """The gallery's only writer while the block runs; a new gallery is made unless `create` is False.

        Before and after it, builds are retired and what nobody names is removed. Raises what `tenure` does.
        """
        with self.tenure(name, create=create) as tenure:
            writer = GalleryWriter(
                tenure.folder, tenure.engine, tenure.gallery_id, tenure.lease, clock=tenure.clock
            )
            self._tidy(tenure, writer)
            yield writer
            with suppress(GalleryLocked):  # whoever has taken it over tidies up
                self._tidy(tenure, writer)

    def _tidy(self, tenure: Tenure, writer: GalleryWriter) -> None:
        remove_doomed(self._home)
        retire(tenure, kept=self._settings.kept_builds)
        writer.collect()

    def _no_build(self, name: str, number: int) -> BuildNotFound:
        with self._engine.connect() as connection:  # where there is no gallery, that is the better reason
            numbers = build_numbers(connection, self.site(name).gallery_id)
        kept = ", ".join(map(str, numbers)) or "none"
        return BuildNotFound(f"The gallery {name!r} keeps no build {number}; it has {kept}.")

    def _begun(self, folder: GalleryFolder, *, create: bool) -> Begun:
        if create:
            return begun(self._engine, folder, at=self._clock())
        return Begun(self.site(folder.name).gallery_id, is_new=False)

    def _not_found(self, name: str) -> GalleryNotFound:
        known = ", ".join(each.name for each in self.published()) or "none"
        return GalleryNotFound(f"There is no gallery {name!r}; known: {known}.")
