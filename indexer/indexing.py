"""The straight line of indexing: scan, read, embed what is new, keep it, publish."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from gallery.errors import NothingPublished
from gallery.galleries import Galleries
from gallery.local_embeddings import LocalStorage
from gallery.publication import PublishReport
from gallery.scanning import scan
from gallery.writer import GalleryWriter
from indexer.encoders import EncoderChoice, choose_encoder
from indexer.errors import NothingToIndex
from indexer.ledger import Ledger
from indexer.pipeline import embed_contents, keep_in_segments
from indexer.reading import Reader, ReadFile, UnreadFile
from indexer.report import IndexingReport
from indexer.settings import IndexingSettings
from indexer.sources import find_sources, require_picture
from siamese.encoder import Encoder
from siamese.images import ImageLimits
from siamese.onnx_runtime import computed_by
from siamese.progress import Progress, Silent
from siamese.threads import in_threads


def index(
    galleries: Galleries,
    name: str,
    roots: Sequence[Path],
    choice: EncoderChoice | None = None,
    *,
    settings: IndexingSettings | None = None,
    limits: ImageLimits | None = None,
    progress: Progress | None = None,
    local_embeddings: LocalStorage | None = None,
    allow_empty: bool = False,
    clock: Callable[[], float] = time.monotonic,
) -> IndexingReport:
    """Make the files below the roots the gallery that readers open; embed only what was not embedded yet.

    Whatever ends a run early, the next one takes up what was embedded, and readers keep the published build.
    `local_embeddings` says how to keep them: by default as the gallery does, or as the settings say for a
    new one; another way than the gallery's embeds everything below all of its roots again.
    `allow_empty` takes a root that had images and has no file now, or is gone, for emptied on purpose.
    Raises SourceUnavailable, GalleryLocked, EncoderRefused, NothingToIndex, and what a checkpoint, weights or
    a device raise; a file that cannot be read is in the report.
    """
    started = clock()
    choice = choice or EncoderChoice()
    settings = settings or IndexingSettings()
    limits = limits or ImageLimits()
    progress = progress or Silent()
    kept = galleries.local_storage(name)
    storage = local_embeddings or kept or settings.local_embeddings
    anew = choice.refit or kept not in (None, storage)
    sources = find_sources(galleries, name, roots, anew=anew, allow_empty=allow_empty)
    ledger = Ledger()
    with galleries.writer(name) as writer:
        before = _published(galleries, name)
        if before is None or (choice.refit and choice.checkpoint is None):
            require_picture(sources.present, limits=limits)  # before weights are asked for
        encoder = choose_encoder(
            writer, choice, sources.present, settings=settings, limits=limits, progress=progress
        )
        encoder = computed_by(choice.runtime, encoder, graphs=choice.graphs)
        known = writer.embedded(encoder.fingerprint, storage=storage)
        reader = Reader(encoder, known=known, limits=limits, thumbnail_quality=settings.thumbnail_quality)
        new = ledger.enter(_read_ahead(reader, ledger, sources.present, settings=settings, progress=progress))
        contents = embed_contents(encoder, new, ledger, batch_size=settings.batch_size)
        embedded = keep_in_segments(
            writer,
            contents,
            fingerprint=encoder.fingerprint,
            storage=storage,
            size=settings.segment_size,
        )
        if before is None and not ledger.places():
            raise NothingToIndex(sources.roots, ledger.unreadable())
        published = _publish(writer, ledger, sources.roots, encoder, storage, allow_empty=allow_empty)
    return IndexingReport(
        gallery=name,
        published=published.build != before,
        encoder_name=encoder.name,
        fingerprint=encoder.fingerprint,
        unreadable=tuple(ledger.unreadable()),
        embedded=embedded,
        local_embeddings=storage,
        seconds=clock() - started,
        **asdict(published),
    )


def _published(galleries: Galleries, name: str) -> int | None:
    try:
        return galleries.published_build(name)
    except NothingPublished:
        return None


def _read_ahead(
    reader: Reader,
    ledger: Ledger,
    roots: Sequence[Path],
    *,
    settings: IndexingSettings,
    progress: Progress,
) -> Iterator[ReadFile | UnreadFile]:
    """Every file below the roots, read in threads that are at most a batch ahead."""
    threads = settings.decoding_threads
    files = scan(roots, leave_out=ledger.leave_out)
    read = in_threads(reader.read, files, ahead=settings.batch_size + threads, threads=threads)
    total = sum(1 for _ in scan(roots, leave_out=lambda _: None))
    return progress.track(read, description="indexing", total=total)


def _publish(
    writer: GalleryWriter,
    ledger: Ledger,
    roots: Sequence[Path],
    encoder: Encoder,
    storage: LocalStorage,
    *,
    allow_empty: bool,
) -> PublishReport:
    return writer.publish(
        ledger.places(),
        roots=roots,
        fingerprint=encoder.fingerprint,
        encoder_name=encoder.name,
        storage=storage,
        unreadable=ledger.unreadable(),
        unlisted=ledger.unlisted(),
        allow_empty=allow_empty,
    )
