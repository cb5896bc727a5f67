"""Maps of a pair by name: the relevance map, what it is measured against, and room for anybody's own.

A maker takes both sights of a pair and returns a signed map of each, (h, w) and (h', w'), hot where the
image resembles the other one.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping

import numpy as np

from explain.maps import Floats, distance_maps, relevance_maps
from explain.sights import Sight

MakesMaps = Callable[[Sight, Sight], tuple[Floats, Floats]]

RELEVANCE = "relevance map"
NORM = "norm of the local embeddings"
GRAD_CAM = "Grad-CAM of the distance"
CENTRE = "centre prior"
RANDOM = "random"


def relevance(query: Sight, matched: Sight) -> tuple[Floats, Floats]:
    """Return the relevance maps, whose order is that of every heatmap of the cosine."""
    return relevance_maps(query.local_embeddings, matched.local_embeddings)


def norms(query: Sight, matched: Sight) -> tuple[Floats, Floats]:
    """Return the lengths of the local embeddings, which know nothing of the other image."""
    return _norm(query), _norm(matched)


def grad_cam(query: Sight, matched: Sight) -> tuple[Floats, Floats]:
    """Return Grad-CAM of the distance, of either image by its own gradient and before its ReLU.

    Turned so that it is hot where the image is made nearer; the ReLU would only tie its cold half.
    """
    of_query, of_matched = distance_maps(query.local_embeddings, matched.local_embeddings)
    return -of_query, -of_matched


def centre_prior(query: Sight, matched: Sight) -> tuple[Floats, Floats]:
    """Return how near a cell is to the middle of the picture: photographers put things there."""
    return centred(query), centred(matched)


def random(*, seed: int = 0) -> MakesMaps:
    """Return a maker of maps of chance on each image's own grid, as smooth when painted as any other map.

    They depend on `seed` and on the image alone.
    """
    return lambda query, matched: (drawn(query, seed), drawn(matched, seed))


def rivals(*, seed: int = 0) -> dict[str, MakesMaps]:
    """Return the relevance map and all that it is measured against, by name."""
    return {
        RELEVANCE: relevance,
        NORM: norms,
        GRAD_CAM: grad_cam,
        CENTRE: centre_prior,
        RANDOM: random(seed=seed),
    }


def make_maps(
    makers: Mapping[str, MakesMaps], query: Sight, matched: Sight
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Return the maps of the query and those of the matched image, by name."""
    made = {name: maker(query, matched) for name, maker in makers.items()}
    return {name: each[0] for name, each in made.items()}, {name: each[1] for name, each in made.items()}


def centred(sight: Sight) -> Floats:
    """Return minus the distance from the middle of what is seen, in shares of its extent along each axis."""
    height, width = sight.local_embeddings.shape[:2]
    down, across = np.mgrid[: len(sight.seen), : len(sight.seen)][:, sight.seen]
    rows = (np.arange(height) + 0.5) * len(sight.seen) / height
    columns = (np.arange(width) + 0.5) * len(sight.seen) / width
    away = np.hypot(*np.meshgrid(_from_middle(rows, down), _from_middle(columns, across), indexing="ij"))
    return -np.asarray(away, np.float64)


def drawn(sight: Sight, seed: int) -> Floats:
    """Return a map of chance on the image's grid, by `seed` and the image alone."""
    content = zlib.crc32(sight.pixels.tobytes())
    return np.random.default_rng([seed, content]).standard_normal(sight.local_embeddings.shape[:2])


def _norm(sight: Sight) -> Floats:
    length: Floats = np.linalg.norm(sight.local_embeddings.astype(np.float64), axis=-1)
    return length


def _from_middle(at: Floats, seen: np.ndarray) -> Floats:
    start, stop = int(seen.min()), int(seen.max()) + 1
    share: Floats = (at - (start + stop) / 2) / (stop - start)
    return share
