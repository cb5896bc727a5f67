"""How alike two images of a gallery usually are: what a cosine is told beside where no verdict was fitted.

Without labels nobody can say where same turns to different. But of two kinds of pairs every gallery knows the
cosines: those drawn at random, and each image with its nearest. Half-way between both is the baseline
(docs/decisions/0026). The nearest ones also tell of a match whether it is as close as a nearest image is.

Measured on all pairs of some images rather than on pairs drawn one by one: a thousand rows are read instead
of a million, and the pairs are half a million.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gallery.manifest import NearestClaims, UsualClaims

IMAGES = 1000
"""So many are compared with each other."""
FEWEST = 20
"""Of so many there are 190 pairs; of fewer the pair that is explained is too much of what is usual."""
SHARES = (
    *(0.0, 0.01),
    *(step / 20 for step in range(1, 20)),
    *(0.97, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999, 1.0),
)
"""Where cosines are told: finely at the upper end, where the matches of a search lie."""
NEAREST_SHARES = (0.0, 0.01, 0.02, *(step / 20 for step in range(1, 20)), 0.98, 0.99, 1.0)
"""The same of nearest pairs, among which the matches of a search lie anywhere."""
DECIMALS = 6
"""Of a cosine: what lies beyond is the rounding of float32, and differs between machines."""


def usual_of(
    embeddings: NDArray[np.float32], nearest: NDArray[np.float64] | None = None
) -> UsualClaims | None:
    """How alike these embeddings (n, D) of different contents are, two by two; None of fewer than FEWEST.

    `nearest` (m,) are the cosines of some contents with the nearest others in all of the gallery.
    """
    if len(embeddings) < FEWEST:
        return None
    table = np.clip(embeddings @ embeddings.T, -1, 1).astype(np.float64)
    cosines = table[np.triu_indices(len(embeddings), k=1)]
    np.fill_diagonal(table, -1)
    half_way = (np.median(cosines) + np.median(table.max(axis=1))) / 2
    return UsualClaims(
        images=len(embeddings),
        baseline=round(float(half_way), DECIMALS),
        shares=SHARES,
        cosines=_quantiles(cosines, SHARES),
        nearest=None if nearest is None or len(nearest) < FEWEST else _nearest(nearest),
    )


def share_below(usual: UsualClaims, cosine: float) -> float:
    """The share of pairs that are less alike than one of this cosine, by linear interpolation.

    It lies in [0, 1): the pairs that were measured do not tell how rare one is that is more alike than all.
    """
    return _share(cosine, usual.cosines, usual.shares, measured=_pairs(usual))


def share_of_nearest_below(usual: UsualClaims, cosine: float) -> float | None:
    """The share, in [0, 1), of images that are less alike to their nearest than a pair of this cosine.

    For a query that is another image like those of the gallery, the share of its best match is as probably
    below 0.05 as one in twenty (a conformal p-value: Laxhammar and Falkman 2010). None where it was not
    measured.
    """
    if usual.nearest is None:
        return None
    return _share(cosine, usual.nearest.cosines, usual.nearest.shares, measured=usual.nearest.images)


def _nearest(cosines: NDArray[np.float64]) -> NearestClaims:
    return NearestClaims(
        images=len(cosines), shares=NEAREST_SHARES, cosines=_quantiles(cosines, NEAREST_SHARES)
    )


def _quantiles(cosines: NDArray[np.float64], shares: tuple[float, ...]) -> tuple[float, ...]:
    rounded = np.round(np.quantile(cosines, shares), DECIMALS)
    return tuple(np.maximum.accumulate(rounded).tolist())  # what interpolates may err by its last bit


def _share(cosine: float, cosines: Sequence[float], shares: Sequence[float], *, measured: int) -> float:
    """The share below this cosine, where `shares` of so many that were `measured` have at most `cosines`."""
    place = bisect_left(cosines, cosine)
    if place == 0:
        return 0.0
    most = 1 - 1 / (measured + 1)
    if place == len(cosines):
        return most
    (low, high), (least, share) = (each[place - 1 : place + 1] for each in (cosines, shares))
    return min(least + (share - least) * (cosine - low) / (high - low), most)


def _pairs(usual: UsualClaims) -> int:
    return usual.images * (usual.images - 1) // 2
