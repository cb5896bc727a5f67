"""Where on a picture a map is focused: on how much of it, in which part, and how strongly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from explain.cells import Layout, layout, middle
from explain.errors import MapMismatch
from siamese.preprocessing import Placement

Floats: TypeAlias = NDArray[np.float64]
Place = Literal[
    "upper left",
    "upper centre",
    "upper right",
    "centre left",
    "centre",
    "centre right",
    "lower left",
    "lower centre",
    "lower right",
    "all over",
    "towards the edges",
    "in several places",
]
PLACES: tuple[tuple[Place, Place, Place], ...] = (
    ("upper left", "upper centre", "upper right"),
    ("centre left", "centre", "centre right"),
    ("lower left", "lower centre", "lower right"),
)

CARRIED = 0.7  # the part of a map's mass whose place is told: most of it, and not its last traces
ROUNDING = 1e-9  # of a map's mass
THIRD = 1 / 3
# The scatter of a focus (root mean square distance from its centre) over that of the whole picture. Beyond
# these no single place is true. Of 932 maps of photos judged "same" 97 % lie below, as all blobs do; of maps
# judged "different", whose reason often is what surrounds the thing, most lie above the second.
ALL_OVER, EDGES = 0.9, 1.1


@dataclass(frozen=True, slots=True)
class Focus:
    """The fewest cells that carry CARRIED of a map's mass.

    `share` in [0, 1] is what they carry, `area` in [0, 1] which share of the seen picture they cover, `place`
    where they lie in the whole picture. `concentration` in [0, 1] is the Gini coefficient of the whole map
    over the seen picture: 0 where it is even, near 1 where a single spot has all. A blank map has no focus:
    0, 0, None, None.
    """

    share: float
    area: float
    place: Place | None
    concentration: float | None

    @property
    def blank(self) -> bool:
        """Whether there is no mass at all."""
        return self.place is None


BLANK = Focus(0.0, 0.0, None, None)


def focus(grid: NDArray[np.floating], placement: Placement) -> Focus:
    """Return the focus of a map (h, w) >= 0 of this picture; raises MapMismatch for another shape."""
    if grid.ndim != 2:
        raise MapMismatch(f"A map is (h, w), but this one is {grid.shape}.")
    laid = layout(placement, (grid.shape[0], grid.shape[1]))
    areas = laid.areas.ravel()
    mass = np.where(areas > 0, grid.ravel().astype(np.float64), 0.0)
    total = mass.sum()
    if total <= 0:
        return BLANK
    mass = mass / total
    order = np.argsort(-mass / np.maximum(areas, ROUNDING), kind="stable")
    carried, covered = np.cumsum(mass[order]), np.cumsum(areas[order])
    last = int(np.searchsorted(carried, CARRIED - ROUNDING))
    chosen = np.zeros_like(mass)
    chosen[order[: last + 1]] = mass[order[: last + 1]]
    place = _place(chosen.reshape(grid.shape), laid)
    return Focus(
        min(float(carried[last]), 1.0), min(float(covered[last]), 1.0), place, _gini(carried, covered)
    )


def _gini(carried: Floats, covered: Floats) -> float:
    """Return the Gini coefficient of a Lorenz curve from the densest cell on, (n,) each, by trapezia."""
    under = np.diff(covered, prepend=0.0) @ (carried + np.concatenate([[0.0], carried[:-1]]))
    return float(np.clip(under - 1, 0, 1))


def _place(mass: Floats, laid: Layout) -> Place:
    """Return the part of the picture in which mass (h, w) lies, or that it lies in no single one."""
    centres, areas = laid.centres, laid.areas
    (y, x), scatter = middle(mass, centres)
    relative = scatter / max(laid.scatter, ROUNDING)
    if relative >= ALL_OVER:
        return "towards the edges" if relative >= EDGES else "all over"
    near = (np.abs(centres[0] - y) <= THIRD / 2)[:, None] & (np.abs(centres[1] - x) <= THIRD / 2)
    if mass[near].sum() < areas[near].sum() * mass.sum():  # little lies where its middle is
        return "in several places"
    return PLACES[min(int(3 * y), 2)][min(int(3 * x), 2)]
