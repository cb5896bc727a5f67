"""Which images of a build an index proposes: contents become the images that show them, as filters allow."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gallery.filters.conditions import Where
from gallery.index.narrowing import Narrowing
from gallery.vector_index import Nearest, VectorIndex

WIDENING = 4
"""How much wider the index is asked again where too many of its answers live no longer."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An image proposed by the index; `index_distance` ≥ 0 is Euclidean, as the index computes it."""

    image_id: int
    index_distance: float


def propose(
    index: VectorIndex, narrowing: Narrowing, embedding: NDArray[np.float32], *, count: int, where: Where
) -> list[Candidate]:
    """The `count` live images nearest to the embedding (D,) that satisfy `where`; see Build.search."""
    allowed = narrowing.allowed(where)
    width = count
    while True:
        nearest = index.search(embedding, count=width, allowed=allowed)
        candidates = _live(nearest, narrowing, where)
        if len(candidates) >= count or len(nearest.content_ids) < width:
            return candidates[:count]
        width *= WIDENING


def _live(nearest: Nearest, narrowing: Narrowing, where: Where) -> list[Candidate]:
    distances = dict(zip(nearest.content_ids.tolist(), nearest.distances.tolist(), strict=True))
    images = narrowing.images_of(list(distances), where)
    candidates = [Candidate(image_id, distances[content_id]) for image_id, content_id in images]
    return sorted(candidates, key=lambda each: (each.index_distance, each.image_id))
