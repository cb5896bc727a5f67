"""The straight line of indexing: scan, read, embed what is new, keep it, publish."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from itertools import chain

from gallery.builds.improvement import improve_index
from gallery.errors import GalleryLocked
from gallery.galleries import Galleries
from gallery.index.report import IndexReport
from gallery.local_storage import LocalStorage
from gallery.surveys.survey import Survey
from gallery.writer import GalleryWriter
from indexer.encoders import EncoderChoice, choose_encoder
from indexer.errors import NothingToIndex
from indexer.options import IndexingOptions
from indexer.pipeline import embed_contents, keep_in_segments, learn, read_ahead
from indexer.processes import DecodingProcesses
from indexer.reading import Reader, decoding
from indexer.report import IndexingReport
from indexer.sources import Named, Sources, extent, require_picture
from indexer.tally import Tally
from siamese.encoder import Encoder
from siamese.onnx_runtime import computed_by


def index(
    galleries: Galleries,
    name: str,
    named: Sequence[Named],
    choice: EncoderChoice | None = None,
    options: IndexingOptions | None = None,
) -> IndexingReport:
    """Make the files of the sources the gallery that readers open; embed only what was not embedded yet.

    Whatever ends a run early, the next one takes up what was embedded, and readers keep the published build.
    What is published can be searched at once; then a main index is built, where one is due, and the build
    published again with it.
    Raises SourceUnavailable, SourceNotAllowed, GalleryLocked, EncoderRefused, NothingToIndex, InvalidIndex,
    and what a checkpoint, weights or a device raise; a file that cannot be read is in the report.
    """
    choice, options = choice or EncoderChoice(), options or IndexingOptions()
    started = options.clock()
    covered = extent(galleries, name, named, options, refit=choice.refit)
    sources, storage = covered.sources, covered.storage
    tally = Tally("indexing")
    with galleries.writer(name) as writer:
        before = galleries.last_build(name)
        if before is None or (choice.refit and choice.checkpoint is None):
            require_picture(sources, limits=options.limits)  # before weights are asked for
        encoder = _encoder(writer, choice, sources, options)
        options.wish.check(encoder.dimension)
        survey = writer.survey(
            sources.all,
            encoder.fingerprint,
            storage=storage,
            retry_failed=options.retry_failed,
            rehash=options.rehash,
        )
        embedded = _embed(writer, survey, encoder, tally, options, storage=storage, total=sources.count())
        if before is None and not survey.readable:
            raise NothingToIndex(sources.uris, [tally.first_refused] if tally.first_refused else [])
        published = writer.publish_survey(
            survey,
            fingerprint=encoder.fingerprint,
            encoder_name=encoder.name,
            storage=storage,
            allow_empty=options.allow_empty,
        )
        unreadable = writer.unreadable(survey.coverage)
    improved = _improved(galleries, name, options)
    build = improved.build if improved else published.build
    return IndexingReport(
        gallery=name,
        published=build != before,
        encoder_name=encoder.name,
        fingerprint=encoder.fingerprint,
        unreadable=tuple(sorted([*unreadable, *survey.namesakes], key=lambda each: each.uri)),
        embedded=embedded,
        local_embeddings=storage,
        seconds=options.clock() - started,
        index=improved,
        **{**asdict(published), "build": build},
    )


def _encoder(
    writer: GalleryWriter, choice: EncoderChoice, sources: Sources, options: IndexingOptions
) -> Encoder:
    """The encoder of this run, computed as the choice says."""
    encoder = choose_encoder(
        writer,
        choice,
        sources,
        settings=options.settings,
        limits=options.limits,
        progress=options.progress,
    )
    return computed_by(choice.runtime, encoder, graphs=choice.graphs)


def _improved(galleries: Galleries, name: str, options: IndexingOptions) -> IndexReport | None:
    with suppress(GalleryLocked), galleries.tenure(name) as tenure:
        return improve_index(tenure, options.wish, tell=options.tell)
    return None  # whoever writes it now sees to its index


def _embed(
    writer: GalleryWriter,
    survey: Survey,
    encoder: Encoder,
    tally: Tally,
    options: IndexingOptions,
    *,
    storage: LocalStorage,
    total: int,
) -> int:
    """Let the survey learn what every file holds, and keep what is new of it; returns how many contents."""
    settings, limits = options.settings, options.limits
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
        shown = options.progress.track(read, description=tally, total=total)
        new = learn(shown, survey, tally)
        return keep_in_segments(
            writer,
            embed_contents(encoder, new, survey, tally, batch_size=settings.batch_size),
            reader,
            fingerprint=encoder.fingerprint,
            storage=storage,
            size=settings.segment_size,
        )
