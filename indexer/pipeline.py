"""From files to segments: read ahead, embedded in batches, and never more of them held than a segment."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from gallery.local_storage import LocalStorage
from gallery.segments.segment import EmbeddedContent
from gallery.surveys.seen import REMOVED, Unreadable
from gallery.surveys.survey import Doubt, Settled, Survey
from gallery.writer import GalleryWriter
from indexer.decoding import Decoded
from indexer.embedding import NO_DIRECTION, embed
from indexer.reading import Reader, ReadFile, UnreadFile
from indexer.tally import Tally
from siamese.encoder import Encoder

T = TypeVar("T")

_SETTLED = {None: "known", REMOVED: "removed"}
"""What a file comes to that need not be read; for any other reason it is unreadable."""

ReadDoubt = tuple[Doubt, ReadFile | UnreadFile]


@dataclass(frozen=True, slots=True, eq=False)
class NewContent:
    """Content that waits to be embedded, and the file that it was found in."""

    doubt: Doubt
    checksum: str
    image: Decoded


def read_ahead(
    reader: Reader, files: Iterable[Doubt | Settled], *, ahead: int, threads: int
) -> Iterator[ReadDoubt | Settled]:
    """The same files in their order, the doubtful ones read in threads that are at most `ahead` of them."""
    running: deque[Settled | tuple[Doubt, Future[ReadFile | UnreadFile]]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for each in files:
                if isinstance(each, Doubt):
                    running.append((each, pool.submit(reader.read, each.file)))
                else:
                    running.append(each)
                if len(running) >= ahead:
                    yield _read(running.popleft())
            while running:
                yield _read(running.popleft())
        finally:
            for waiting in running:
                if isinstance(waiting, tuple):
                    waiting[1].cancel()


def learn(files: Iterable[ReadDoubt | Settled], survey: Survey, tally: Tally) -> Iterator[NewContent]:
    """Let the survey learn what each file holds, and pass on content that is new."""
    for each in files:
        if isinstance(each, Settled):
            tally.count(_SETTLED.get(each.reason, "unreadable"))
            continue
        doubt, read = each
        if isinstance(read, UnreadFile):
            tally.refuse(Unreadable(read.file.uri, read.checksum, read.reason))
            survey.learn(doubt, checksum=read.checksum, reason=read.reason)
        elif read.content is None:
            tally.count("known")
            survey.learn(doubt, checksum=read.checksum)
        else:
            yield NewContent(doubt, read.checksum, read.content)


def embed_contents(
    encoder: Encoder, contents: Iterable[NewContent], survey: Survey, tally: Tally, *, batch_size: int
) -> Iterator[EmbeddedContent]:
    """The contents, embedded batch by batch; the survey learns which have no embedding."""
    for batch in in_batches(contents, batch_size):
        made = embed(encoder, batch)
        for content in made.without:
            tally.refuse(Unreadable(content.doubt.file.uri, content.checksum, NO_DIRECTION))
            survey.learn(content.doubt, checksum=content.checksum, reason=NO_DIRECTION)
        for content, embedded in made.embedded:
            tally.count("embedded")
            survey.learn(content.doubt, checksum=content.checksum)
            yield embedded


def keep_in_segments(
    writer: GalleryWriter,
    contents: Iterable[EmbeddedContent],
    reader: Reader,
    *,
    fingerprint: str,
    storage: LocalStorage,
    size: int,
) -> int:
    """Make the contents durable, `size` at a time, and the last ones even if the run is ended early.

    Returns how many they were.
    """

    def keep(segment: Sequence[EmbeddedContent]) -> int:
        writer.add_segment(segment, fingerprint=fingerprint, storage=storage)
        reader.release(content.checksum for content in segment)
        return len(segment)

    segment: list[EmbeddedContent] = []
    written: list[Future[int]] = []
    with ThreadPoolExecutor(1, thread_name_prefix="segments") as behind:
        try:
            for content in contents:
                segment.append(content)
                if len(segment) == size:
                    if written:
                        written[-1].result()  # no more than one is being written while another is filled
                    written.append(behind.submit(keep, segment))
                    segment = []
        finally:
            if segment:
                written.append(behind.submit(keep, segment))
    return sum(each.result() for each in written)


def in_batches(things: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of `size` things, the last one shorter."""
    iterator = iter(things)
    while batch := list(islice(iterator, size)):
        yield batch


def _read(waiting: Settled | tuple[Doubt, Future[ReadFile | UnreadFile]]) -> ReadDoubt | Settled:
    return waiting if isinstance(waiting, Settled) else (waiting[0], waiting[1].result())
