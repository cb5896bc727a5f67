"""Whether maps depend on what the encoder has learnt: their order against that of re-drawn weights.

(Adebayo et al., NeurIPS 2018: a map that survives the loss of the weights explains the picture alone.)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from pydantic import BaseModel
from scipy.stats import spearmanr

from explain.faithfulness import mean_measure
from explain.maps import Floats
from explain.named_maps import relevance
from explain.sights import look
from siamese.encoder import Encoder
from siamese.errors import ZeroEmbedding
from siamese.intervals import Bootstrap
from siamese.measured import Measure
from siamese.scaled_image import AnyImage

BLANK = "no map is left that has an order"


class Sanity(BaseModel, frozen=True):
    """Mean Spearman correlation of the relevance maps with those of an encoder with `redrawn` at random."""

    redrawn: str
    query: Measure
    matched: Measure


def measure_sanity(
    encoder: Encoder,
    random: Iterable[tuple[str, Encoder]],
    pairs: Sequence[tuple[AnyImage, AnyImage]],
    *,
    seed: int,
) -> tuple[Sanity, ...]:
    """Compare the maps of each pair of upright RGB images by the encoder and by each of the random ones."""
    true = [_maps(encoder, pair) for pair in pairs]
    bootstrap = Bootstrap.of(max(len(pairs), 1), seed=seed)
    return tuple(
        Sanity(redrawn=name, **_compared(true, [_maps(redrawn, pair) for pair in pairs], bootstrap))
        for name, redrawn in random
    )


def rank_correlation(one: Floats, other: Floats) -> float:
    """Return Spearman's correlation of two maps of one shape; NaN where either is constant."""
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    return float(spearmanr(one.ravel(), other.ravel()).statistic)


def _maps(encoder: Encoder, pair: tuple[AnyImage, AnyImage]) -> tuple[Floats, Floats]:
    """The relevance maps; blank where there is nothing to embed."""
    try:
        return relevance(*look(encoder, pair))
    except ZeroEmbedding:
        return np.zeros(encoder.grid), np.zeros(encoder.grid)


def _compared(
    true: Sequence[tuple[Floats, Floats]], random: Sequence[tuple[Floats, Floats]], bootstrap: Bootstrap
) -> dict[str, Measure]:
    sides = {}
    for at, side in enumerate(("query", "matched")):
        told = [rank_correlation(one[at], other[at]) for one, other in zip(true, random, strict=True)]
        sides[side] = mean_measure(np.array(told), bootstrap, reason=BLANK)
    return sides
