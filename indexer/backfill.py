"""Embedding a published gallery by another encoder, beside the one that it has."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TypeVar

from gallery.errors import FetchRefused, InvalidSource, OriginalUnavailable, SourceUnavailable
from gallery.galleries import Galleries
from gallery.segments.segment import EmbeddedContent
from gallery.settings import FetchingSettings
from gallery.site import Site
from gallery.sources.listing import Listing
from gallery.sources.scanning import FolderSource, checksum
from gallery.sources.source import NamedSource, Source, SourceFile
from gallery.surveys.seen import PAGE
from gallery.swaps.successors import Successor, begin, successor
from gallery.swaps.unembedded import Unembedded, lacking_at, places_of, refuse, unembedded
from gallery.writer import GalleryWriter
from indexer.decoding import Decoded
from indexer.embedding import NO_DIRECTION, embed
from indexer.pipeline import in_batches
from indexer.processes import DecodingProcesses
from indexer.reading import decoded_here, decoding
from indexer.settings import IndexingSettings
from siamese.encoder import Encoder
from siamese.errors import UnreadableImage
from siamese.images import ImageLimits, read
from siamese.progress import Progress, Silent
from siamese.threads import in_threads

T = TypeVar("T")

NOT_THERE = "no file of it holds the bytes that were indexed"


@dataclass(frozen=True, slots=True)
class Lacking:
    """A content that the successor has not embedded: one of its places, and why.

    One that it has `refused` keeps it from nothing: it will be told as unreadable.
    """

    uri: str
    checksum: str
    reason: str
    refused: bool


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

    What is published stays published; a run that is killed goes on where it was. A content of which no
    original holds the bytes that were indexed is lacking: a thumbnail, which is smaller, is not embedded in
    its stead. One that cannot be decoded, or gets no direction, is refused. Raises SwapRefused, GalleryLocked
    and what the encoder raises.
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
    unavailable: list[str] = []
    how = decoding(encoder, limits=limits, thumbnail_quality=settings.thumbnail_quality)
    count = settings.processes_for(swap.lacking)
    with galleries.writer(name, create=False) as writer, DecodingProcesses(how, count=count) as processes:
        decode = processes.decoded if count else partial(decoded_here, how=how)
        run = _Run(site, swap, writer, encoder, decode, settings, limits, progress)
        run.keep(run.embedded(run.from_places, unembedded(site, swap), total=swap.lacking))
        if left := successor(site).lacking:
            search = _Search(site, swap, fetching or FetchingSettings(), unavailable)
            files = search.lacking_files(galleries.sources(name))
            run.keep(run.embedded(run.from_file, files, total=left))
    after = successor(site)
    lacking = tuple(lacking_contents(site, after, unavailable))
    return BackfillReport(name, after, after.embedded - swap.embedded, lacking, clock() - started)


def lacking_contents(site: Site, swap: Successor, unavailable: Sequence[str] = ()) -> Iterator[Lacking]:
    """What the successor has not embedded, and why: some sources were `unavailable`, for one."""
    not_there = "; ".join((NOT_THERE, *unavailable))
    for each in unembedded(site, swap):
        refused = each.reason is not None
        yield Lacking(each.uri, each.checksum, each.reason or not_there, refused)


_Wanted = tuple[Unembedded, SourceFile]


@dataclass(frozen=True, slots=True)
class _Search:
    """A look through sources for what is lacking; it tells `unavailable` which cannot be looked into."""

    site: Site
    swap: Successor
    fetching: FetchingSettings
    unavailable: list[str]

    def lacking_files(self, sources: Iterable[NamedSource]) -> Iterator[_Wanted]:
        """The files of all sources that are places of it: in shards, storage, or the web, say."""
        for page in in_batches(chain.from_iterable(map(self._files, sources)), PAGE):
            by_uri = {file.uri: file for file in page}
            for uri, content in lacking_at(self.site, self.swap, list(by_uri)).items():
                yield content, by_uri[uri]

    def _files(self, source: NamedSource) -> Iterator[SourceFile]:
        try:
            yield from _opened(source, self.fetching).files(leave_out=lambda _: None)
        except (SourceUnavailable, InvalidSource, OriginalUnavailable, FetchRefused, OSError) as error:
            self.unavailable.append(f"{source.uri} could not be looked into ({str(error).removesuffix('.')})")


def _opened(source: NamedSource, fetching: FetchingSettings) -> Source:
    return FolderSource(source.path) if source.kind == "folder" else Listing(source, fetching)


@dataclass(frozen=True, slots=True, eq=False)
class _Anew:
    """A content that is to be embedded by the successor."""

    content_id: int
    checksum: str
    image: Decoded


@dataclass(frozen=True, slots=True)
class _Refused:
    """A content of which nothing can be made, and why."""

    content_id: int
    reason: str


_Prepared = _Anew | _Refused | None
"""None where the bytes were not found."""


@dataclass(frozen=True, slots=True)
class _Run:
    """One run's way from contents to segments."""

    site: Site
    swap: Successor
    writer: GalleryWriter
    encoder: Encoder
    decode: Callable[[bytes], Decoded]
    settings: IndexingSettings
    limits: ImageLimits
    progress: Progress

    def keep(self, contents: Iterator[EmbeddedContent]) -> None:
        """Make the contents durable, a segment at a time."""
        for segment in in_batches(contents, self.settings.segment_size):
            self.writer.add_segment(
                segment, fingerprint=self.encoder.fingerprint, storage=self.swap.local_embeddings
            )

    def embedded(
        self, prepare: Callable[[T], _Prepared], wanted: Iterable[T], *, total: int
    ) -> Iterator[EmbeddedContent]:
        """The contents, prepared in threads and embedded batch by batch; what is refused is noted."""
        count, batch_size = self.settings.processes_for(total), self.settings.batch_size
        threads = count + 1 if count else self.settings.decoding_threads
        prepared = in_threads(prepare, wanted, ahead=batch_size + threads, threads=threads)
        tracked = self.progress.track(prepared, description="embedding anew", total=total)
        for batch in in_batches(tracked, batch_size):
            made = embed(self.encoder, [each for each in batch if isinstance(each, _Anew)])
            refused = {each.content_id: each.reason for each in batch if isinstance(each, _Refused)}
            refused |= {each.content_id: NO_DIRECTION for each in made.without}
            if refused:
                with self.writer.writing() as connection:
                    refuse(connection, self.site.gallery_id, refused)
            yield from (embedded for _, embedded in made.embedded)

    def from_places(self, content: Unembedded) -> _Prepared:
        """By the first file of this machine that holds the content."""
        for uri in places_of(self.site, content.content_id):
            try:
                data = read(Path(uri), limits=self.limits)
            except UnreadableImage:
                continue
            if checksum(data) == content.checksum:
                return self._decoded(content, data)
        return None

    def from_file(self, wanted: _Wanted) -> _Prepared:
        """By the file that a source names, if it still holds the content."""
        content, file = wanted
        try:
            data = file.read(most=self.limits.max_bytes)
        except OriginalUnavailable:
            return None
        return self._decoded(content, data) if checksum(data) == content.checksum else None

    def _decoded(self, content: Unembedded, data: bytes) -> _Prepared:
        try:
            return _Anew(content.content_id, content.checksum, self.decode(data))
        except UnreadableImage as error:
            return _Refused(content.content_id, error.reason)
