"""Where the cells of a grid lie in their picture, as shares of its width and height."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from siamese.preprocessing import Placement

Shares = NDArray[np.float64]
Shape = tuple[int, int]

PIXEL = 1e-3  # of a side: padding thinner than a pixel of a large picture is rounding
KEPT = 1024  # layouts that stay in memory: the pictures of a gallery are of few sizes


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in the upright picture, in shares of it: 0 is its left or top edge, 1 the other."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def centre(self) -> tuple[float, float]:
        """The middle (x, y)."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """How a grid (h, w) lies in its picture.

    `rows` (h + 1,) and `columns` (w + 1,) are the edges of its cells, kept within the picture; `areas` (h, w)
    the share of the seen picture that each cell covers, in sum 1 and 0 in padding; `beside_padding` (h, w)
    says which cells lie in padding, in part or whole, or next to one that does, `padded` whether any does;
    `centres` (h,) and (w,) are the heights and breadths of the cells' middles, `scatter` the root mean square
    distance of what is seen from its centre. No array can be written to.
    """

    rows: Shares
    columns: Shares
    areas: Shares
    beside_padding: NDArray[np.bool_]
    padded: bool
    centres: tuple[Shares, Shares]
    scatter: float

    def box(self, cell: Shape) -> Box:
        """Return what of the picture a cell (row, column) covers; padding is cut away."""
        (row, column), (rows, columns) = cell, (self.rows.tolist(), self.columns.tolist())
        return Box(columns[column], rows[row], columns[column + 1], rows[row + 1])


def grid_box(placement: Placement) -> Box:
    """Return where the whole grid lies: beyond [0, 1] where the picture was padded, within where cropped."""
    left, top, right, bottom = placement.box
    return Box(
        left / placement.width, top / placement.height, right / placement.width, bottom / placement.height
    )


@lru_cache(maxsize=KEPT)
def layout(placement: Placement, grid: Shape) -> Layout:
    """Return how a grid (h, w) lies in the picture of this placement."""
    whole = grid_box(placement)
    rows, beside_rows = _axis(whole.top, whole.bottom, grid[0])
    columns, beside_columns = _axis(whole.left, whole.right, grid[1])
    areas = np.diff(rows)[:, None] * np.diff(columns)
    areas = areas / areas.sum()
    beside = beside_rows[:, None] | beside_columns
    centres = (rows[1:] + rows[:-1]) / 2, (columns[1:] + columns[:-1]) / 2
    for array in (rows, columns, areas, beside, *centres):
        array.setflags(write=False)
    return Layout(rows, columns, areas, beside, bool(beside.any()), centres, _scatter(areas, centres))


def _scatter(areas: Shares, centres: tuple[Shares, Shares]) -> float:
    """Return the root mean square distance of what is seen from its centre."""
    sides = zip((areas.sum(axis=1), areas.sum(axis=0)), centres, strict=True)
    return float(np.sqrt(sum(mass @ (at - mass @ at) ** 2 for mass, at in sides)))


def _axis(start: float, stop: float, cells: int) -> tuple[Shares, NDArray[np.bool_]]:
    """Return the edges of cells along one axis, and which of them lie in padding or next to it."""
    edges, cell = np.linspace(start, stop, cells + 1), (stop - start) / cells
    first = (edges[:-1] < cell - PIXEL) & (start < -PIXEL)
    last = (edges[1:] > 1 - cell + PIXEL) & (stop > 1 + PIXEL)
    return np.clip(edges, 0, 1), first | last
