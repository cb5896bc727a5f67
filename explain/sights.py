"""An image as an encoder sees it, and what the encoder makes of it when something in it is hidden."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from explain.errors import MapMismatch

if TYPE_CHECKING:  # the encoder comes in from outside; hiding pixels needs no torch
    from siamese.encoder import Embedded, Encoder
from siamese.preparing import Prepared
from siamese.scaled_image import AnyImage

Pixels = NDArray[np.float32]
Mask = NDArray[np.bool_]
Embeddings = NDArray[np.float32]


class Embeds(Protocol):
    """What looks at pictures: an encoder, or one that waits for its turn."""

    def embed_directed(self, prepared: Sequence[Prepared]) -> tuple[Embedded, list[int]]:
        """Embed what has a direction, and tell the positions of what has none."""


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """An image as the encoder takes it, which of its pixels show the picture, and what comes of it.

    seen (S, S) bool is False in padding; local_embeddings (h, w, D) and the unit embedding (D,) are float32.
    """

    prepared: Prepared
    seen: Mask
    local_embeddings: NDArray[np.float32]
    embedding: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.seen.shape != self.pixels.shape[1:] or not self.seen.any():
            raise MapMismatch(
                f"Some of the pixels {self.pixels.shape[1:]} are seen, but what is seen is {self.seen.shape} "
                f"with {int(self.seen.sum())} of them."
            )

    @property
    def pixels(self) -> Pixels:
        """(3, S, S), normalised."""
        return self.prepared.tensor


def look(encoder: Encoder, images: Sequence[AnyImage]) -> list[Sight]:
    """Return each of the upright RGB images as the encoder sees it. Raises ZeroEmbedding."""
    prepared = [encoder.prepare(image) for image in images]
    embedded = encoder.embed(prepared)
    seen = [encoder.preprocessing.seen_pixels(*image.size) for image in images]
    rows = zip(prepared, seen, embedded.local_embeddings, embedded.embeddings, strict=True)
    return [Sight(*row) for row in rows]


def embed_variants(encoder: Embeds, sight: Sight, variants: Sequence[Pixels]) -> Embeddings:
    """Return the embeddings (n, D) of the sight with other pixels; zero where nothing is left to embed."""
    prepared = [replace(sight.prepared, tensor=pixels) for pixels in variants]
    embedded, without = encoder.embed_directed(prepared)
    embeddings = np.zeros((len(variants), len(sight.embedding)), np.float32)
    embeddings[np.setdiff1d(np.arange(len(variants)), without)] = embedded.embeddings
    return embeddings
