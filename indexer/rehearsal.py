"""A run that writes nothing: what lies in the sources is named and compared, and the change is told."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from gallery.builds.preview import Preview, preview
from gallery.errors import GalleryNotFound, OriginalUnavailable
from gallery.galleries import Galleries
from gallery.sources.scanning import checksum
from gallery.sources.source import SourceFile
from gallery.surveys.findings import SpooledFindings
from gallery.surveys.survey import Doubt, Settled, Survey, outcome
from gallery.writer import GalleryWriter
from indexer.encoders import EncoderChoice
from indexer.options import IndexingOptions
from indexer.settings import IndexingSettings
from indexer.sources import Named, Sources, extent
from indexer.tally import Tally
from siamese.checkpoint import load_record
from siamese.images import ImageLimits
from siamese.progress import Progress
from siamese.threads import in_threads


@dataclass(frozen=True, slots=True)
class RehearsalReport:
    """What a run would do; `build` is the published one, None before the first."""

    gallery: str
    build: int | None
    changes: Preview


def rehearse(
    galleries: Galleries,
    name: str,
    named: Sequence[Named],
    choice: EncoderChoice | None = None,
    options: IndexingOptions | None = None,
) -> RehearsalReport:
    """What `indexer.indexing.index` with the same arguments would do. Nothing is decoded or embedded.

    Raises SourceUnavailable and GalleryLocked.
    """
    choice, options = choice or EncoderChoice(), options or IndexingOptions()
    covered = extent(galleries, name, named, options, refit=choice.refit)
    sources, storage = covered.sources, covered.storage
    naming = _Naming(options.limits, options.settings, options.progress)
    try:
        with galleries.tenure(name) as tenure:
            writer = GalleryWriter(
                tenure.folder, tenure.engine, tenure.gallery_id, tenure.lease, clock=tenure.clock
            )
            fingerprint = _fingerprint(writer, choice)
            findings = SpooledFindings()
            survey = writer.survey(
                sources.all,
                fingerprint,
                storage=storage,
                retry_failed=options.retry_failed,
                rehash=options.rehash,
                findings=findings,
            )
            naming.learn(survey, findings, total=sources.count())
            changes = preview(
                tenure,
                survey,
                findings,
                fingerprint=fingerprint,
                storage=storage,
                allow_empty=options.allow_empty,
            )
            return RehearsalReport(name, galleries.last_build(name), changes)
    except GalleryNotFound:
        return RehearsalReport(name, None, naming.of_nothing(sources))


def _fingerprint(writer: GalleryWriter, choice: EncoderChoice) -> str:
    """Of the encoder that a run would embed with; empty for one that it would have to fit."""
    own = None if choice.refit else writer.encoder_checkpoint()
    checkpoint = own or choice.checkpoint
    return load_record(checkpoint).fingerprint if checkpoint else ""


@dataclass(frozen=True, slots=True)
class _Naming:
    """Reads files and names what they hold."""

    limits: ImageLimits
    settings: IndexingSettings
    progress: Progress

    def learn(self, survey: Survey, findings: SpooledFindings, *, total: int) -> None:
        """Let the survey learn the name of what every doubtful file holds; all of those are found."""
        files = chain.from_iterable(survey.compare(source) for source in survey.sources)
        for doubt, named, reason in self._tracked(self._named(files), total):
            if doubt is not None:
                survey.learn(doubt, checksum=named, reason=reason)
                findings.put(outcome(doubt.file, doubt.source, named, reason))

    def of_nothing(self, sources: Sources) -> Preview:
        """What the first run of a gallery would do."""
        files = (Doubt(file, file.uri, None, None) for file in sources.files())
        added, contents = 0, set[str]()
        for _, named, _ in self._tracked(self._named(files), sources.count()):
            if named is not None:
                added += 1
                contents.add(named)
        return Preview(
            added=added, changed=0, moved=0, relabelled=0, removed=0, unchanged=0, to_embed=len(contents)
        )

    def _tracked(
        self, named: Iterator[tuple[Doubt | None, str | None, str | None]], total: int
    ) -> Iterator[tuple[Doubt | None, str | None, str | None]]:
        return self.progress.track(named, description=Tally("looking"), total=total)

    def _named(
        self, files: Iterator[Doubt | Settled] | Iterator[Doubt]
    ) -> Iterator[tuple[Doubt | None, str | None, str | None]]:
        threads = self.settings.decoding_threads
        return in_threads(self._name, files, ahead=2 * threads, threads=threads)

    def _name(self, each: Doubt | Settled) -> tuple[Doubt | None, str | None, str | None]:
        if isinstance(each, Settled):
            return None, None, each.reason
        try:
            return each, self._checksum(each.file), None
        except OriginalUnavailable as error:
            return each, None, str(error)

    def _checksum(self, file: SourceFile) -> str:
        data = file.read(most=self.limits.max_bytes)
        if not data:
            raise OriginalUnavailable("the file is empty")
        return checksum(data)
