"""Embedding a published gallery by another encoder, beside the one that it has."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from gallery.errors import OriginalUnavailable
from gallery.galleries import Galleries
from gallery.segments.segment import EmbeddedContent
from gallery.settings import FetchingSettings
from gallery.sources.listing import Listing
from gallery.sources.scanning import checksum
from gallery.swaps.successors import Successor, Unembedded, begin, successor, unembedded
from indexer.decoding import Decoded, decoded
from indexer.reading import decoding
from indexer.settings import IndexingSettings
from siamese.encoder import Encoder
from siamese.errors import UnreadableImage
from siamese.images import ImageLimits, read
from siamese.progress import Progress, Silent
from siamese.threads import in_threads

ReadIt = Callable[..., bytes]
"""`(uri, *, limits)` to the bytes that lie there; raises UnreadableImage."""

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
    fetching: FetchingSettings | None = None,
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
    run = _Run(encoder, settings, limits, progress)
    embedded = 0
    with galleries.writer(name, create=False) as writer:
        local = run.embed(unembedded(site, swap), read_local, total=swap.contents - swap.embedded)
        for contents in (local, _listed(run, galleries, name, fetching or FetchingSettings())):
            while segment := list(islice(contents, settings.segment_size)):
                writer.add_segment(segment, fingerprint=encoder.fingerprint, storage=storage)
                embedded += len(segment)
    return BackfillReport(name, successor(site), embedded, tuple(run.lacking), clock() - started)


def read_local(uri: str, *, limits: ImageLimits) -> bytes:
    """The bytes of a file of this machine; raises UnreadableImage."""
    return read(Path(uri), limits=limits)


def _listed(
    run: "_Run", galleries: Galleries, name: str, fetching: FetchingSettings
) -> Iterator[EmbeddedContent]:
    """What lies in tables, lists, shards and storage, of what is lacking so far."""
    listings = [each for each in galleries.sources(name) if each.kind != "folder"]
    wanted = {each.uri: each.checksum for each in run.lacking if each.reason == NOT_THERE}
    if not listings or not wanted:
        return
    files = {
        file.uri: file
        for listing in listings
        for file in Listing(listing, fetching).files(leave_out=lambda _: None)
        if file.uri in wanted
    }

    def read_listed(uri: str, *, limits: ImageLimits) -> bytes:
        try:
            return files[uri].read(most=limits.max_bytes)
        except OriginalUnavailable as error:
            raise UnreadableImage(str(error)) from error

    run.lacking[:] = [each for each in run.lacking if each.uri not in files]
    again = (Unembedded(wanted[uri], (uri,)) for uri in files)
    yield from run.embed(again, read_listed, total=len(files))


class _Run:
    """One run's way from contents to what its encoder makes of them; `lacking` grows as it goes."""

    def __init__(
        self, encoder: Encoder, settings: IndexingSettings, limits: ImageLimits, progress: Progress
    ) -> None:
        self.lacking: list[Lacking] = []
        self._encoder = encoder
        self._settings = settings
        self._limits = limits
        self._progress = progress

    def embed(
        self, contents: Iterable[Unembedded], read_it: ReadIt, *, total: int
    ) -> Iterator[EmbeddedContent]:
        """The contents, prepared in threads and embedded batch by batch."""
        batch_size, threads = self._settings.batch_size, self._settings.decoding_threads

        def prepare(content: Unembedded) -> Anew | Lacking:
            return self._prepared(content, read_it)

        prepared = in_threads(prepare, contents, ahead=batch_size + threads, threads=threads)
        tracked = iter(self._progress.track(prepared, description="embedding anew", total=total))
        while batch := list(islice(tracked, batch_size)):
            self.lacking += [each for each in batch if isinstance(each, Lacking)]
            whole = [each for each in batch if isinstance(each, Anew)]
            yield from _embed(self._encoder, whole, self.lacking)

    def _prepared(self, content: Unembedded, read_it: ReadIt) -> Anew | Lacking:
        for uri in content.uris:
            try:
                data = read_it(uri, limits=self._limits)
                if checksum(data) != content.checksum:
                    continue
                quality = self._settings.thumbnail_quality
                how = decoding(self._encoder, limits=self._limits, thumbnail_quality=quality)
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
