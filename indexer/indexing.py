"""The straight line of indexing: scan, read, embed what is new, keep it, publish."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from itertools import chain

from gallery.builds.improvement import improve_index
from gallery.errors import GalleryLocked
from gallery.galleries import Galleries
from gallery.index.kinds import IndexWish
from gallery.index.report import IndexReport
from gallery.local_storage import LocalStorage
from gallery.settings import FetchingSettings
from gallery.sources.allowed import AllowedSources
from gallery.surveys.survey import Survey
from gallery.writer import GalleryWriter
from indexer.encoders import EncoderChoice, choose_encoder
from indexer.errors import NothingToIndex
from indexer.pipeline import embed_contents, keep_in_segments, learn, read_ahead
from indexer.processes import DecodingProcesses
from indexer.reading import Reader, decoding
from indexer.report import IndexingReport
from indexer.settings import IndexingSettings
from indexer.sources import Named, extent, require_picture
from indexer.tally import Tally
from siamese.encoder import Encoder
from siamese.images import ImageLimits
from siamese.onnx_runtime import computed_by
from siamese.progress import Progress, Silent


def index(
    galleries: Galleries,
    name: str,
    named: Sequence[Named],
    choice: EncoderChoice | None = None,
    *,
    settings: IndexingSettings | None = None,
    limits: ImageLimits | None = None,
    fetching: FetchingSettings | None = None,
    progress: Progress | None = None,
    local_embeddings: LocalStorage | None = None,
    allow_empty: bool = False,
    retry_failed: bool = False,
    rehash: bool = False,
    allowed: AllowedSources | None = None,
    wish: IndexWish | None = None,
    tell: Callable[[str], None] = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
) -> IndexingReport:
    """Make the files of the sources the gallery that readers open; embed only what was not embedded yet.

    Whatever ends a run early, the next one takes up what was embedded, and readers keep the published build.
    `local_embeddings` says how to keep them: by default as the gallery does, or as the settings say for a
    new one; another way than the gallery's embeds everything below all of its roots again.
    `allow_empty` takes a root that had images and has no file now, or is gone, for emptied on purpose.
    A file whose size and time are those that were seen last is not read again, unless `rehash` says so or,
    where it could not be read then, `retry_failed`.
    Where `allowed` is given, no source and no file of one is read from elsewhere, links followed.
    What is published can be searched at once; then a main index is built after the `wish`, where one is due,
    and the build published again with it. `tell` hears of its steps.
    Raises SourceUnavailable, SourceNotAllowed, GalleryLocked, EncoderRefused, NothingToIndex, InvalidIndex,
    and what a checkpoint, weights or a device raise; a file that cannot be read is in the report.
    """
    started = clock()
    choice = choice or EncoderChoice()
    settings = settings or IndexingSettings()
    wish = wish or IndexWish()
    limits = limits or ImageLimits()
    progress = progress or Silent()
    covered = extent(
        galleries,
        name,
        named,
        refit=choice.refit,
        local_embeddings=local_embeddings,
        settings=settings,
        fetching=fetching,
        allow_empty=allow_empty,
        allowed=allowed,
    )
    sources, storage = covered.sources, covered.storage
    tally = Tally("indexing")
    with galleries.writer(name) as writer:
        before = galleries.last_build(name)
        if before is None or (choice.refit and choice.checkpoint is None):
            require_picture(sources, limits=limits)  # before weights are asked for
        encoder = choose_encoder(writer, choice, sources, settings=settings, limits=limits, progress=progress)
        encoder = computed_by(choice.runtime, encoder, graphs=choice.graphs)
        wish.check(encoder.dimension)
        survey = writer.survey(
            sources.all,
            encoder.fingerprint,
            storage=storage,
            retry_failed=retry_failed,
            rehash=rehash,
        )
        embedded = _embed(
            writer,
            survey,
            encoder,
            tally,
            storage=storage,
            settings=settings,
            limits=limits,
            progress=progress,
            total=sources.count(),
        )
        if before is None and not survey.readable:
            raise NothingToIndex(sources.uris, [tally.first_refused] if tally.first_refused else [])
        published = writer.publish_survey(
            survey,
            fingerprint=encoder.fingerprint,
            encoder_name=encoder.name,
            storage=storage,
            allow_empty=allow_empty,
        )
        unreadable = writer.unreadable(survey.coverage)
    improved = _improved(galleries, name, wish, tell)
    build = improved.build if improved else published.build
    return IndexingReport(
        gallery=name,
        published=build != before,
        encoder_name=encoder.name,
        fingerprint=encoder.fingerprint,
        unreadable=tuple(sorted([*unreadable, *survey.namesakes], key=lambda each: each.uri)),
        embedded=embedded,
        local_embeddings=storage,
        seconds=clock() - started,
        index=improved,
        **{**asdict(published), "build": build},
    )


def _improved(
    galleries: Galleries, name: str, wish: IndexWish, tell: Callable[[str], None]
) -> IndexReport | None:
    with suppress(GalleryLocked), galleries.tenure(name) as tenure:
        return improve_index(tenure, wish, tell=tell)
    return None  # whoever writes it now sees to its index


def _embed(
    writer: GalleryWriter,
    survey: Survey,
    encoder: Encoder,
    tally: Tally,
    *,
    storage: LocalStorage,
    settings: IndexingSettings,
    limits: ImageLimits,
    progress: Progress,
    total: int,
) -> int:
    """Let the survey learn what every file holds, and keep what is new of it; returns how many contents."""
    count = settings.processes_for(total)
    how = decoding(encoder, limits=limits, thumbnail_quality=settings.thumbnail_quality)
    with DecodingProcesses(how, count=count) as processes:
        reader = Reader(
            encoder,
            known=writer.known(encoder.fingerprint, storage=storage),
            limits=limits,
            thumbnail_quality=settings.thumbnail_quality,
            decode=processes.decoded if count else None,
        )
        threads = count + 1 if count else settings.decoding_threads  # one more reads while all decode
        files = chain.from_iterable(survey.compare(source) for source in survey.sources)
        read = read_ahead(reader, files, ahead=settings.batch_size + threads, threads=threads)
        shown = progress.track(read, description=tally, total=total)
        new = learn(shown, survey, tally)
        return keep_in_segments(
            writer,
            embed_contents(encoder, new, survey, tally, batch_size=settings.batch_size),
            reader,
            fingerprint=encoder.fingerprint,
            storage=storage,
            size=settings.segment_size,
        )
