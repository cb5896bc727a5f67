"""In which order the pixels of a picture are hidden: by a map painted to the encoder's square."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explain.errors import MapMismatch
from explain.heatmap import at_pixels
from explain.sights import Mask

TIES_SEED = 0
"""Pixels of equal heat, as on a blank map, come in an order of chance that is always the same."""


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """The seen pixels of a square (S, S) by their flat positions, the hottest first."""

    positions: NDArray[np.int64]
    side: int

    @classmethod
    def of(cls, grid: NDArray[np.floating], seen: Mask) -> Order:
        """Order the seen pixels by a signed map (h, w), painted as heatmaps are. Raises NotFinite."""
        heat = at_pixels(grid, side=seen.shape[0])[seen]
        chance = np.random.default_rng(TIES_SEED).permutation(len(heat))
        hottest_first = chance[np.argsort(-heat[chance], kind="stable")]
        return cls(np.flatnonzero(seen)[hottest_first], seen.shape[0])

    def hottest(self, share: float) -> Mask:
        """Return (S, S), True on the hottest `share` in [0, 1] of the seen pixels."""
        return self._mask(self.positions[: self._count(share)])

    def coldest(self, share: float) -> Mask:
        """Return (S, S), True on the coldest `share` in [0, 1] of the seen pixels."""
        return self._mask(self.positions[len(self.positions) - self._count(share) :])

    def _count(self, share: float) -> int:
        if not 0 <= share <= 1:
            raise MapMismatch(f"A share of the seen pixels lies between 0 and 1, not at {share}.")
        return round(share * len(self.positions))

    def _mask(self, positions: NDArray[np.int64]) -> Mask:
        mask = np.zeros(self.side * self.side, np.bool_)
        mask[positions] = True
        return mask.reshape(self.side, self.side)
