"""Embedding a published gallery by another encoder, beside the one that it has."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from gallery.galleries import Galleries
from gallery.scanning import checksum
from gallery.segments import EmbeddedContent
from gallery.successors import Successor, Unembedded, begin, successor, unembedded
from indexer.decoding import Decoded, decoded
from indexer.reading import decoding
from indexer.settings import IndexingSettings
from siamese.encoder import Encoder
from siamese.errors import UnreadableImage
from siamese.images import ImageLimits, read
from siamese.progress import Progress, Silent
from siamese.threads import in_threads

NOT_THERE = "no file of it holds the bytes that were indexed"
NO_DIRECTION = "the encoder gives it no direction (a zero embedding, as a blank picture may have)"


@dataclass(frozen=True, slots=True)
class Lacking:
    """A content that the successor cannot embed: one of its places, and why."""

    uri: str
    checksum: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Anew:
    """A content that is to be embedded by the successor."""

    checksum: str
    image: Decoded


@dataclass(frozen=True, slots=True)
class BackfillReport:
    """How far the successor is; `embedded` contents are from this run, `seconds` are its time."""

    gallery: str
    successor: Successor
    embedded: int
    lacking: tuple[Lacking, ...]
    seconds: float


def backfill(
    galleries: Galleries,
    name: str,
    checkpoint: Path,
    encoder: Encoder,
    *,
    settings: IndexingSettings | None = None,
    limits: ImageLimits | None = None,
    progress: Progress | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> BackfillReport:
    """Make the encoder (of this checkpoint) the gallery's successor, and embed all that it has not yet.

    What is published stays published; a run that is killed goes on where it was. An original that is gone or
    has changed is lacking: what was indexed can only be embedded from the bytes that were indexed. Raises
    SwapRefused, GalleryLocked and what the encoder raises.
    """
    started = clock()
    settings, limits, progress = settings or IndexingSettings(), limits or ImageLimits(), progress or Silent()
    storage = galleries.local_storage(name) or settings.local_embeddings
    with galleries.tenure(name) as tenure:
        begin(
            tenure,
            checkpoint,
            fingerprint=encoder.fingerprint,
            encoder_name=encoder.name,
            storage=storage,
        )
    site = galleries.site(name)
    swap = successor(site)
    lacking: list[Lacking] = []
    embedded = 0
    with galleries.writer(name, create=False) as writer:
        contents = _embedded(
            encoder,
            unembedded(site, swap),
            lacking,
            settings=settings,
            limits=limits,
            progress=progress,
            total=swap.contents - swap.embedded,
        )
        while segment := list(islice(contents, settings.segment_size)):
            writer.add_segment(segment, fingerprint=encoder.fingerprint, storage=storage)
            embedded += len(segment)
    return BackfillReport(name, successor(site), embedded, tuple(lacking), clock() - started)


def _embedded(
    encoder: Encoder,
    contents: Iterable[Unembedded],
    lacking: list[Lacking],
    *,
    settings: IndexingSettings,
    limits: ImageLimits,
    progress: Progress,
    total: int,
) -> Iterator[EmbeddedContent]:
    def prepare(content: Unembedded) -> Anew | Lacking:
        return _prepared(encoder, content, limits=limits, quality=settings.thumbnail_quality)

    ahead = settings.batch_size + settings.decoding_threads
    prepared = in_threads(prepare, contents, ahead=ahead, threads=settings.decoding_threads)
    tracked = iter(progress.track(prepared, description="embedding anew", total=total))
    while batch := list(islice(tracked, settings.batch_size)):
        lacking += [each for each in batch if isinstance(each, Lacking)]
        yield from _embed(encoder, [each for each in batch if isinstance(each, Anew)], lacking)


def _prepared(encoder: Encoder, content: Unembedded, *, limits: ImageLimits, quality: int) -> Anew | Lacking:
    for uri in content.uris:
        try:
            data = read(Path(uri), limits=limits)
            if checksum(data) != content.checksum:
                continue
            how = decoding(encoder, limits=limits, thumbnail_quality=quality)
            return Anew(content.checksum, decoded(data, how))
        except UnreadableImage:
            continue
    return Lacking(content.uris[0], content.checksum, NOT_THERE)


def _embed(encoder: Encoder, batch: list[Anew], lacking: list[Lacking]) -> Iterator[EmbeddedContent]:
    if not batch:
        return
    made, without = encoder.embed_directed([each.image.prepared for each in batch])
    lacking += [Lacking("", batch[at].checksum, NO_DIRECTION) for at in without]
    directed = [each for at, each in enumerate(batch) if at not in without]
    for each, embedding, local in zip(directed, made.embeddings, made.local_embeddings, strict=True):
        yield EmbeddedContent(
            each.checksum,
            each.image.width,
            each.image.height,
            embedding,
            local,
            each.image.thumbnail,
            each.image.prepared.detail,
        )
