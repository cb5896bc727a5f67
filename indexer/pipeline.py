"""From prepared contents to segments: embedded in batches, and never more of them held than a segment."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from gallery.local_embeddings import LocalStorage
from gallery.segments import EmbeddedContent
from gallery.writer import GalleryWriter
from indexer.ledger import Ledger
from indexer.reading import PreparedContent
from siamese.encoder import Encoder

T = TypeVar("T")

NO_DIRECTION = "the encoder gives it no direction (a zero embedding, as a blank picture may have)"


def embed_contents(
    encoder: Encoder, contents: Iterable[PreparedContent], ledger: Ledger, *, batch_size: int
) -> Iterator[EmbeddedContent]:
    """The contents, embedded batch by batch; those that have no embedding are refused in the ledger."""
    for batch in in_batches(contents, batch_size):
        yield from _embed(encoder, batch, ledger)


def keep_in_segments(
    writer: GalleryWriter,
    contents: Iterable[EmbeddedContent],
    *,
    fingerprint: str,
    storage: LocalStorage,
    size: int,
) -> int:
    """Make the contents durable, `size` at a time, and the last ones even if the run is ended early.

    Returns how many they were.
    """
    kept = 0
    segment: list[EmbeddedContent] = []
    try:
        for content in contents:
            segment.append(content)
            if len(segment) == size:
                full, segment = segment, []
                writer.add_segment(full, fingerprint=fingerprint, storage=storage)
                kept += len(full)
    finally:
        if segment:
            writer.add_segment(segment, fingerprint=fingerprint, storage=storage)
    return kept + len(segment)


def in_batches(things: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of `size` things, the last one shorter."""
    iterator = iter(things)
    while batch := list(islice(iterator, size)):
        yield batch


def _embed(encoder: Encoder, batch: Sequence[PreparedContent], ledger: Ledger) -> list[EmbeddedContent]:
    embedded, without = encoder.embed_directed([content.prepared for content in batch])
    for position in without:
        ledger.refuse(batch[position].checksum, NO_DIRECTION)
    directed = [content for at, content in enumerate(batch) if at not in without]
    return [
        EmbeddedContent(
            each.checksum,
            each.width,
            each.height,
            embedding,
            local_embeddings,
            each.thumbnail,
            each.prepared.detail,
        )
        for each, embedding, local_embeddings in zip(
            directed, embedded.embeddings, embedded.local_embeddings, strict=True
        )
    ]
