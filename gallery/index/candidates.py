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
    """An image proposed by the index; `index_distance` ≥ 0 is Euclidean, as the index computes it.

    `also` are the other images that show the same content, by image_id, where contents were asked for.
    """

    image_id: int
    index_distance: float
    also: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """The candidates, nearest first, and whether all that is allowed was compared to find them."""

    candidates: list[Candidate]
    exhaustive: bool


def propose(
    index: VectorIndex,
    narrowing: Narrowing,
    embedding: NDArray[np.float32],
    *,
    count: int,
    where: Where,
    fold: bool = False,
) -> Proposal:
    """The `count` live images nearest to the embedding (D,) that satisfy `where`; see Build.search.

    With `fold` so many contents: one candidate each, of its first image that satisfies `where`.
    """
    allowed = narrowing.allowed(where)
    width = count
    while True:
        nearest = index.search(embedding, count=width, allowed=allowed)
        candidates = _live(nearest, narrowing, where, fold=fold)
        if len(candidates) >= count or len(nearest.content_ids) < width:
            return Proposal(candidates[:count], nearest.exhaustive)
        width *= WIDENING


def _live(nearest: Nearest, narrowing: Narrowing, where: Where, *, fold: bool) -> list[Candidate]:
    distances = dict(zip(nearest.content_ids.tolist(), nearest.distances.tolist(), strict=True))
    images = narrowing.images_of(list(distances), where)
    if fold:
        candidates = _folded(images, distances)
    else:
        candidates = [Candidate(image_id, distances[content_id]) for image_id, content_id in images]
    return sorted(candidates, key=lambda each: (each.index_distance, each.image_id))


def _folded(images: list[tuple[int, int]], distances: dict[int, float]) -> list[Candidate]:
    showing: dict[int, list[int]] = {}
    for image_id, content_id in sorted(images):
        showing.setdefault(content_id, []).append(image_id)
    return [
        Candidate(first, distances[content_id], tuple(also)) for content_id, (first, *also) in showing.items()
    ]
