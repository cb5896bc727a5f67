"""The straight line of indexing: scan, read, embed what is new, keep it, publish."""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from gallery.errors import NothingPublished
from gallery.galleries import Galleries
from gallery.scanning import distinct, scan
from gallery.segments import EmbeddedContent
from gallery.writer import GalleryWriter
from siamese.encoder import Encoder
from siamese.images import ImageLimits
from siamese.progress import Progress, Silent
from siamese.threads import in_threads

from indexer.encoders import EncoderChoice, choose_encoder
from indexer.errors import NothingToIndex
from indexer.ledger import Ledger
from indexer.pipeline import embed_contents
from indexer.reading import Reader
from indexer.report import IndexingReport
from indexer.settings import IndexingSettings


def index(
    galleries: Galleries,
    name: str,
    roots: Sequence[Path],
    choice: EncoderChoice | None = None,
    *,
    settings: IndexingSettings | None = None,
    limits: ImageLimits | None = None,
    progress: Progress | None = None,
    allow_empty: bool = False,
    clock: Callable[[], float] = time.monotonic,
) -> IndexingReport:
    """Make the files below the roots the gallery that readers open; embed only what was not embedded yet.

    Whatever ends a run early, the next one takes up what was embedded, and readers keep the published build.
    `allow_empty` takes a root that had images and has no file now for emptied on purpose.
    Raises SourceUnavailable, GalleryLocked, EncoderRefused, NothingToIndex, and what a checkpoint, weights or
    a device raise; a file that cannot be read is in the report.
    """
    choice, settings, limits = choice or EncoderChoice(), settings or IndexingSettings(), limits or ImageLimits()
    progress = progress or Silent()
    started = clock()
    with galleries.writer(name) as writer:
        before = _published(galleries, name)
        roots = distinct([*roots, *writer.roots()] if choice.refit else roots)
        encoder = choose_encoder(writer, choice, roots, settings=settings, limits=limits, progress=progress)
        ledger = Ledger()
        embedded = _embed_new(writer, encoder, roots, ledger, settings=settings, limits=limits, progress=progress)
        _require_images(ledger, roots, before)
        published = writer.publish(
            ledger.places(),
            roots=roots,
            fingerprint=encoder.fingerprint,
            encoder_name=encoder.name,
            unreadable=ledger.unreadable(),
            allow_empty=allow_empty,
        )
    return IndexingReport(
        gallery=name,
        published=published.build != before,
        encoder_name=encoder.name,
        fingerprint=encoder.fingerprint,
        unreadable=tuple(ledger.unreadable()),
        embedded=embedded,
        seconds=clock() - started,
        **asdict(published),
    )


def _published(galleries: Galleries, name: str) -> int | None:
    try:
        return galleries.published_build(name)
    except NothingPublished:
        return None


def _embed_new(
    writer: GalleryWriter,
    encoder: Encoder,
    roots: Sequence[Path],
    ledger: Ledger,
    *,
    settings: IndexingSettings,
    limits: ImageLimits,
    progress: Progress,
) -> int:
    """Enter every file in the ledger, embed new content and keep it; how many contents that were."""
    reader = Reader(
        encoder,
        known=writer.embedded(encoder.fingerprint),
        limits=limits,
        thumbnail_quality=settings.thumbnail_quality,
    )
    with closing(
        in_threads(
            reader.read,
            scan(roots),
            ahead=settings.batch_size + settings.decoding_threads,
            threads=settings.decoding_threads,
        )
    ) as read:
        total = sum(1 for _ in scan(roots))
        new = ledger.enter(progress.track(read, description="indexing", total=total))
        contents = embed_contents(encoder, new, ledger, batch_size=settings.batch_size)
        return _keep(writer, contents, fingerprint=encoder.fingerprint, segment_size=settings.segment_size)


def _keep(
    writer: GalleryWriter, contents: Iterable[EmbeddedContent], *, fingerprint: str, segment_size: int
) -> int:
    """Make the contents durable, a segment at a time, and the last ones also if the run is interrupted."""
    kept = 0
    segment: list[EmbeddedContent] = []
    try:
        for content in contents:
            segment.append(content)
            if len(segment) == segment_size:
                full, segment = segment, []
                writer.add_segment(full, fingerprint=fingerprint)
                kept += len(full)
    finally:
        if segment:
            writer.add_segment(segment, fingerprint=fingerprint)
    return kept + len(segment)


def _require_images(ledger: Ledger, roots: Sequence[Path], before: int | None) -> None:
    if before is not None or ledger.places():
        return
    unreadable = ledger.unreadable()
    first = f"; the first of {len(unreadable)} files, {unreadable[0].uri}: {unreadable[0].reason}" if unreadable else ""
    raise NothingToIndex(f"There is no image below {', '.join(map(str, roots))}{first}.")
