"""Bootstrap intervals over query images: how much a figure owes to the images that happened to ask.

Images are resampled and not pairs, because the pairs of one image rise and fall together
(Efron & Tibshirani 1993, chapter 13: percentile intervals).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Interval = tuple[float, float]

RESAMPLES = 1000
CONFIDENCE = 0.95
# Fewer images say nothing of how images vary.
FEWEST_IMAGES = 2
# Numbers held at once while pairs are weighted (32 MB), and altogether before resamples are spared.
HELD = 4_000_000
AFFORDED = 50_000_000
FEWEST_RESAMPLES = 200


@dataclass(frozen=True, slots=True, eq=False)
class Bootstrap:
    """How often each of the images was drawn, in each resample: (resamples, images)."""

    counts: NDArray[np.float32]

    @classmethod
    def of(cls, images: int, *, seed: int, resamples: int = RESAMPLES) -> Bootstrap:
        """As many images drawn with replacement as there are (at least one), again and again."""
        generator = np.random.default_rng(seed)
        drawn = generator.multinomial(images, np.full(images, 1 / images), size=resamples)
        return cls(drawn.astype(np.float32))

    def interval(self, value: float, of_resamples: Floats) -> Interval | None:
        """The middle 95 % of what the resamples say, NaN left out; None where there is nothing to resample.

        It is widened to `value` where the resamples lie on one side of it, as those of an error do that noise
        only adds to, so that it always holds what it is told of.
        """
        told = of_resamples[np.isfinite(of_resamples)]
        if self.counts.shape[1] < FEWEST_IMAGES or not len(told):
            return None
        outside = (1 - CONFIDENCE) / 2
        low, high = np.quantile(told, [outside, 1 - outside])
        return min(float(low), value), max(float(high), value)

    def means(self, totals: NDArray[np.floating], parts: NDArray[np.floating]) -> Floats:
        """(resamples,) the mean, where each image contributes a total over so many parts: both (images,).

        NaN or infinite where a resample has no parts.
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self.counts @ totals / (self.counts @ parts), np.float64)

    def of_pairs(self, *ends: NDArray[np.int64]) -> Iterator[NDArray[np.float32]]:
        """The weights of pairs, some resamples at a time: (few, pairs).

        `ends` are the positions (pairs,) of the images that are resampled: the queries, and the references
        too where they are the queries. A very long list of pairs gets fewer resamples, never below 200.
        """
        pairs = max(len(ends[0]), 1)
        wanted = min(len(self.counts), max(FEWEST_RESAMPLES, AFFORDED // pairs))
        step = max(1, HELD // pairs)
        for start in range(0, wanted, step):
            drawn = self.counts[start : min(start + step, wanted)]
            weights = drawn[:, ends[0]]
            for end in ends[1:]:
                weights = weights * drawn[:, end]
            yield weights


def mean_interval(values: Floats, *, seed: int) -> Interval | None:
    """The interval of the mean of one number for each image (n,); None for fewer than two images."""
    if len(values) < FEWEST_IMAGES:
        return None
    bootstrap = Bootstrap.of(len(values), seed=seed)
    return bootstrap.interval(float(values.mean()), bootstrap.means(values, np.ones(len(values))))
