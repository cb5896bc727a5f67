"""From decoded images to what a segment keeps of them, a batch at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from gallery.segments.segment import EmbeddedContent
from indexer.decoding import Decoded
from siamese.encoder import Encoder

NO_DIRECTION = "the encoder gives it no direction (a zero embedding, as a blank picture may have)"


class Decodable(Protocol):
    """A content that waits to be embedded."""

    @property
    def checksum(self) -> str:
        """Its name."""

    @property
    def image(self) -> Decoded:
        """The image in it."""


T = TypeVar("T", bound=Decodable)


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedBatch(Generic[T]):
    """What an encoder made of a batch; those `without` a direction have no embedding (NO_DIRECTION)."""

    embedded: Sequence[tuple[T, EmbeddedContent]]
    without: Sequence[T]


def embed(encoder: Encoder, batch: Sequence[T]) -> EmbeddedBatch[T]:
    """Embed the contents in one go, each with the one that it was made of; raises OutOfMemory."""
    made, undirected = encoder.embed_directed([each.image.prepared for each in batch])
    directed = [each for at, each in enumerate(batch) if at not in undirected]
    embedded = [
        EmbeddedContent(
            each.checksum,
            each.image.width,
            each.image.height,
            embedding,
            local_embeddings,
            each.image.thumbnail,
            each.image.prepared.detail,
        )
        for each, embedding, local_embeddings in zip(
            directed, made.embeddings, made.local_embeddings, strict=True
        )
    ]
    return EmbeddedBatch(list(zip(directed, embedded, strict=True)), [batch[at] for at in undirected])
