"""One map of one picture tested by hiding, against orders of chance and the middle of the picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explain.hiding import Order
from explain.maps import Floats
from explain.named_maps import centred, drawn
from explain.perturbing import Hiding, area, hide_in_order

Number = Callable[[NDArray[np.float32]], Floats]
"""The explained number (n,) for embeddings (n, D) in place of the picture's own; greater for the verdict."""

STEPS = 10
"""Of a curve: half as fine as that of a whole trial, because somebody waits."""
ORDERS = 9
"""Orders of chance, so that by chance a map beats all of them once in ten times."""
LEAST_BEATEN = 0.75
"""The share of orders of chance that a map must beat: seven of nine, which a map that says nothing does three
times in ten."""


@dataclass(frozen=True, slots=True)
class Areas:
    """Areas under the number while the hottest is hidden (less is better) and while it is shown (more is)."""

    deletion: float
    insertion: float

    @property
    def gap(self) -> float:
        """Insertion less deletion: greater is better."""
        return self.insertion - self.deletion


@dataclass(frozen=True, slots=True)
class MapTrial:
    """A map's own areas, those of the centre prior, and those of orders of chance."""

    own: Areas
    centre: Areas
    chance: tuple[Areas, ...]

    @property
    def beats(self) -> float:
        """The share of the orders of chance that the map beats, by the gap."""
        return float(np.mean([self.own.gap > each.gap for each in self.chance]))

    @property
    def by_chance(self) -> bool:
        """Whether the map does no better than chance."""
        return self.beats < LEAST_BEATEN


def try_map(
    hiding: Hiding, grid: Floats, number: Number, *, steps: int = STEPS, orders: int = ORDERS, seed: int = 0
) -> MapTrial:
    """Hide the picture by a map (h, w), by the centre prior, and by so many maps of chance on its grid."""
    sight = hiding.sight
    ends = number(np.stack([sight.embedding, hiding.blank()]))

    def areas(tried: Floats) -> Areas:
        order = Order.of(tried, sight.seen)
        deleted, inserted = (number(each) for each in hide_in_order(hiding, order, steps))
        curves = np.array([[ends[0], *deleted, ends[1]], [ends[1], *inserted, ends[0]]])
        return Areas(area(curves[0]), area(curves[1]))

    chance = tuple(areas(drawn(sight, seed + at)) for at in range(orders))
    return MapTrial(areas(grid), areas(centred(sight)), chance)
