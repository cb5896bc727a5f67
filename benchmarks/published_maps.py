"""The maps of the published implementation (Livieris et al. 2023), its faults included, on our encoder.

A baseline, so that only the map differs: same encoder, pairs, painting and trials. Written from a description
of the code, not from the code. What it does, and we do not:

1. the gradient of the first image weights both images' grids (the second one's own is its opposite, nearly);
2. "factual" differentiates the distance whatever the verdict, "counterfactual" one less the distance;
3. the distance is clamped at 1, so from there on the gradient is 0 and the map 0/0: drawn as nothing here;
4. ReLU, then division by the map's own greatest value: no sign, no scale, and blank halves.

Its other two faults lie in the drawing (colours read in the wrong order, width and height exchanged) and do
not change what is hot. Its Grad-CAM is at the last convolution: pass the `bias` of our linear layer for that
grid, or None for the output of the layer. From local embeddings in closed form, as `explain.maps`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from explain import maps
from explain.maps import Floats, Gradients, Local, Pairs

PUBLISHED_FACTUAL = "published, factual"
PUBLISHED_COUNTERFACTUAL = "published, counterfactual"
CLAMPED_AT = 1.0  # of the distance, by the module that the published code calls Softplus


class Seen(Protocol):
    """An image as the trials of `explain` pass it: with its local embeddings (h, w, D)."""

    @property
    def local_embeddings(self) -> Local:
        """(h, w, D)."""


MakesMaps = Callable[[Seen, Seen], tuple[Floats, Floats]]


def published(*, bias: Local | None = None) -> dict[str, MakesMaps]:
    """Return both published maps by name, as the trials of `explain` take them."""
    return {
        PUBLISHED_FACTUAL: lambda query, matched: published_maps(
            query.local_embeddings, matched.local_embeddings, sign=1, bias=bias
        ),
        PUBLISHED_COUNTERFACTUAL: lambda query, matched: published_maps(
            query.local_embeddings, matched.local_embeddings, sign=-1, bias=bias
        ),
    }


def published_maps(
    query: Local, matched: Local, *, sign: int, bias: Local | None = None
) -> tuple[Floats, Floats]:
    """Return the published maps of a pair, (h, w) and (h', w'), in [0, 1]; zero where it gives NaN.

    `sign` is +1 for what it calls factual and -1 for counterfactual.
    """
    pairs = Pairs.of(query, matched[None])
    if maps.distances(pairs)[0] >= CLAMPED_AT:
        return np.zeros(query.shape[:2]), np.zeros(matched.shape[:2])
    own = maps.distance_gradients(pairs).query
    signed = maps.signed_maps(pairs, Gradients(query=own, matched=own), bias=bias)
    return _drawn(sign * signed[0][0]), _drawn(sign * signed[1][0])


def _drawn(signed: Floats) -> Floats:
    """ReLU, and division by its own maximum; 0/0, which the published code draws as what it happens to be."""
    heat = np.maximum(signed, 0)
    return np.divide(heat, heat.max(), out=np.zeros_like(heat), where=heat.max() > 0)
