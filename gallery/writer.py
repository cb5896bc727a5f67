"""The one who writes a gallery: adds segments, publishes builds, and leaves nothing half-done to be seen."""

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, update

from gallery.builds.collection import collect
from gallery.builds.image import GalleryImage
from gallery.builds.planning import encoder_folders, published_manifest, published_number
from gallery.builds.publication import Publication, PublishReport, listing_uris
from gallery.database import writing
from gallery.difference import Place
from gallery.folders import GalleryFolder
from gallery.leases import Lease
from gallery.local_storage import DEFAULT, LocalStorage
from gallery.membership import in_build, members
from gallery.records.galleries import GalleryRecord
from gallery.segments.intact import IntactSegments
from gallery.segments.known import KnownContents
from gallery.segments.segment import EmbeddedContent, write_segment
from gallery.segments.storage import content_ids, record_segment
from gallery.sources.roots import root_uri
from gallery.sources.source import Source, UnlistedFolder
from gallery.surveys.findings import Findings, RecordedFindings
from gallery.surveys.seen import Coverage, Unreadable, unreadable_files
from gallery.surveys.survey import Survey
from gallery.surveys.telling import tell, told_sources
from gallery.surveys.trust import Trust
from gallery.swaps.encoder_folders import keep_checkpoint


class GalleryWriter:
    """Writes one gallery under its lease; made by `Galleries.writer`.

    For one thread at a time. Whatever writes raises GalleryLocked once another has taken the gallery over.
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
        self._folder, self._engine = folder, engine
        self._gallery_id, self._lease = gallery_id, lease
        self._clock = clock
        self._known: dict[tuple[str, LocalStorage | None], KnownContents] = {}

    def live(self) -> list[GalleryImage]:
        """The images of the published build by uri; none before the first."""
        with self._engine.connect() as connection:
            number = published_number(connection, self._gallery_id)
            rows = connection.execute(members(in_build(self._gallery_id, number)))
            return sorted((GalleryImage(*row) for row in rows), key=lambda image: image.uri)

    def unreadable(self, coverage: Coverage | None = None) -> list[Unreadable]:
        """The files that could not be read when they were looked at last, by uri; all, or covered ones."""
        with self._engine.connect() as connection:
            return list(unreadable_files(connection, self._gallery_id, coverage))

    def embedded(self, fingerprint: str, *, storage: LocalStorage | None = None) -> dict[str, int]:
        """Checksum to content id of all that is embedded already in intact segments, published or not.

        Where a storage is named, only what keeps local embeddings in it counts.
        """
        with self._engine.connect() as connection:
            return self._intact(connection, fingerprint, storage).contents()

    def known(self, fingerprint: str, *, storage: LocalStorage | None = None) -> KnownContents:
        """The same contents, to be asked for one or some without reading all of them."""
        if (fingerprint, storage) not in self._known:
            self._known[fingerprint, storage] = KnownContents(
                self._engine, self._folder, self._gallery_id, fingerprint, storage
            )
        return self._known[fingerprint, storage]

    def has_embedded(self, fingerprint: str) -> bool:
        """Whether anything is embedded by this encoder."""
        with self._engine.connect() as connection:
            return self._intact(connection, fingerprint, None).shape is not None

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
        folder = keep_checkpoint(self._folder, source, fingerprint)
        with self.writing() as connection:
            gallery = update(GalleryRecord).where(GalleryRecord.id == self._gallery_id)
            connection.execute(gallery.values(encoder_folder=folder))
        return self._folder.encoder(folder)

    def add_segment(
        self, contents: Sequence[EmbeddedContent], *, fingerprint: str, storage: LocalStorage = DEFAULT
    ) -> None:
        """Keep what an encoder made of some contents, durably before it returns, to be published later.

        Contents that are embedded already, and repetitions, are left out. No old file is touched.
        """
        fresh = self._fresh(contents, fingerprint, storage)
        if not fresh:
            return
        with self.writing() as connection:
            known = content_ids(connection, self._gallery_id, fresh)
        ids = [known[content.checksum] for content in fresh]
        name = uuid.uuid4().hex
        files = write_segment(self._folder.segment(name), fresh, ids, storage=storage)
        with self.writing() as connection:
            record_segment(
                connection,
                self._gallery_id,
                name=name,
                fingerprint=fingerprint,
                contents=fresh,
                ids=ids,
                files=files,
            )

    def survey(
        self,
        sources: Sequence[Source],
        fingerprint: str,
        *,
        storage: LocalStorage = DEFAULT,
        retry_failed: bool = False,
        rehash: bool = False,
        findings: Findings | None = None,
    ) -> Survey:
        """A comparison of these sources with what was seen of them, for an encoder and a storage.

        Where the published build is by another, or damaged, what is not embedded is in doubt. What this one
        finds is recorded, unless `findings` take it, in place of what a run over other sources has found.
        """
        if findings is None:
            findings = RecordedFindings(self.writing, self._gallery_id)
            findings.keep_only(Coverage(sources))
        with self._engine.connect() as connection:
            published = published_manifest(connection, self._folder, self._gallery_id)
            intact = self._intact(connection, fingerprint, storage)
            listings = listing_uris(connection, self._gallery_id)
            is_whole = published is not None and all(each.id in intact for each in published.segments)
        trust = Trust(
            embedded=self.known(fingerprint, storage=storage).among,
            all_embedded=is_whole,
            retry_failed=retry_failed or not is_whole,
            rehash=rehash,
        )
        return Survey(self._engine, self._gallery_id, sources, findings, trust=trust, listings=listings)

    def publish_survey(
        self,
        survey: Survey,
        *,
        fingerprint: str,
        encoder_name: str,
        storage: LocalStorage = DEFAULT,
        allow_empty: bool = False,
    ) -> PublishReport:
        """Make what a survey has found the gallery that readers open, whole or not at all.

        Images below its sources that were not found are ended; those below others, and in folders that could
        not be listed, stay as they are. Nothing new is published if places, segments and encoder are those
        of the published build.
        Raises SourceUnavailable if a source that had images holds no file now (an unmounted disk), unless
        `allow_empty`; NotEmbedded if the content of any image, those below other sources included, is not
        embedded by this encoder and kept in this storage; ValueError if no checkpoint of this fingerprint
        was kept.
        """
        survey.findings.flush()
        publication = Publication(
            folder=self._folder,
            gallery_id=self._gallery_id,
            survey=survey,
            fingerprint=fingerprint,
            encoder_name=encoder_name,
            storage=storage,
            allow_empty=allow_empty,
            published_at=self._clock(),
        ).foreseen(self._engine)
        with self.writing() as connection:
            report = publication.write(connection)
        self.collect()
        return report

    def publish(
        self,
        places: Sequence[Place],
        *,
        roots: Sequence[Path],
        fingerprint: str,
        encoder_name: str,
        storage: LocalStorage = DEFAULT,
        unreadable: Sequence[Unreadable] = (),
        unlisted: Sequence[UnlistedFolder] = (),
        allow_empty: bool = False,
    ) -> PublishReport:
        """`publish_survey` of places that are known; ValueError for one below none of the roots."""
        sources = told_sources(places, unreadable, unlisted, roots=[root_uri(root) for root in roots])
        survey = self.survey(sources, fingerprint, storage=storage)
        tell(survey)
        return self.publish_survey(
            survey,
            fingerprint=fingerprint,
            encoder_name=encoder_name,
            storage=storage,
            allow_empty=allow_empty,
        )

    def collect(self) -> None:
        """Remove the files that no record names: what killed writers left, what `publish` has forgotten."""
        collect(self.writing, self._folder, self._gallery_id)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes; raises GalleryLocked once another has taken the gallery over."""
        with writing(self._engine) as connection:
            self._lease.confirm(connection)
            yield connection

    def _intact(
        self, connection: Connection, fingerprint: str, storage: LocalStorage | None
    ) -> IntactSegments:
        return IntactSegments(connection, self._folder, self._gallery_id, fingerprint, storage)

    def _fresh(
        self, contents: Iterable[EmbeddedContent], fingerprint: str, storage: LocalStorage
    ) -> list[EmbeddedContent]:
        by_checksum = {content.checksum: content for content in contents}
        held = self.known(fingerprint, storage=storage).among(by_checksum)
        return [content for checksum, content in by_checksum.items() if checksum not in held]
