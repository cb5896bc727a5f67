"""Grids of evidence as heat on the picture that they speak of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from explain.errors import MapMismatch, NotFinite
from explain.evidence import Evidence
from siamese.preprocessing import Placement

Heat = NDArray[np.float32]
Weights = NDArray[np.float64]

RESAMPLINGS_KEPT = 64  # all maps of one answer are painted on pictures of few sizes
ROUNDING = 1e-6  # of a cosine or a distance between float32 embeddings


@dataclass(frozen=True, slots=True)
class Heatmap:
    """Heat (H, W) in [0, 1], never NaN, and (H, W) whether the encoder saw that part of the picture."""

    heat: Heat
    seen: NDArray[np.bool_]

    def __post_init__(self) -> None:
        if self.heat.shape != self.seen.shape:
            raise MapMismatch(f"Heat {self.heat.shape} and what was seen {self.seen.shape} differ in shape.")
        if not (self.heat.min() >= 0 and self.heat.max() <= 1):
            raise NotFinite("Heat lies between 0 and 1.")


def shared_scale(*evidence: Evidence) -> float:
    """Return the greatest density (value x cells) of all maps: full heat, for both images and both signs.

    Densities, because the cells of a coarse grid hold more of the sum than those of a fine one.
    """
    sides = [side for each in evidence for side in (each.query, each.matched)]
    densities = [grid.max() * grid.size for side in sides for grid in (side.factual, side.counterfactual)]
    return float(max(densities, default=0.0))


def paint(
    grid: NDArray[np.floating], placement: Placement, *, size: tuple[int, int], scale: float
) -> Heatmap:
    """Lay a grid (h, w) >= 0 over its picture, drawn `size` = (width, height) pixels large.

    Cubic between the centres of the cells; padding is cut away, and a cropped margin is marked as not seen.
    Full heat is a density (value x cells) of `scale`; a blank grid stays blank, and so does any grid on a
    scale of 0 or of mere rounding, which must not be drawn as heat.
    Raises NotFinite where the grid is not finite.
    """
    if not np.isfinite(grid).all():
        raise NotFinite("A map must be finite to be painted.")
    left, top, right, bottom = placement.box
    height, width = grid.shape
    across, columns = _resampling(size[0], placement.width, (left, right), width)
    down, rows = _resampling(size[1], placement.height, (top, bottom), height)
    seen = rows[:, None] & columns
    density = down @ (grid.astype(np.float64) * grid.size) @ across.T
    heat = np.clip(density / scale, 0, 1) * seen if scale > ROUNDING else np.zeros(seen.shape)
    return Heatmap(heat.astype(np.float32), seen)


def at_pixels(grid: NDArray[np.floating], *, side: int) -> Weights:
    """Return a signed grid (h, w) as (side, side), painted over the whole of the encoder's square.

    Raises NotFinite where the grid is not finite.
    """
    if not np.isfinite(grid).all():
        raise NotFinite("A map must be finite to be painted.")
    across, _ = _resampling(side, side, (0, side), grid.shape[1])
    down, _ = _resampling(side, side, (0, side), grid.shape[0])
    painted: Weights = down @ grid.astype(np.float64) @ across.T
    return painted


@lru_cache(maxsize=RESAMPLINGS_KEPT)
def _resampling(
    pixels: int, extent: float, span: tuple[float, float], cells: int
) -> tuple[Weights, NDArray[np.bool_]]:
    """Return along one axis (pixels, cells) weights and which pixels lie in the span that the cells cover."""
    centres = (np.arange(pixels) + 0.5) * extent / pixels
    position = (centres - span[0]) / (span[1] - span[0]) * cells
    weights = np.zeros((pixels, cells))
    first = np.floor(position - 0.5).astype(int)
    for tap in range(-1, 3):
        cell = first + tap
        weight = _cubic(np.abs(position - 0.5 - cell))
        np.add.at(weights, (np.arange(pixels), np.clip(cell, 0, cells - 1)), weight)
    covered = (position >= 0) & (position <= cells)
    for each in (weights, covered):
        each.setflags(write=False)
    return weights, covered


def _cubic(x: Weights) -> Weights:
    """Return the cubic convolution kernel with a = -1/2 at distances x in [0, 2] (Keys 1981)."""
    near = (1.5 * x - 2.5) * x**2 + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    kernel: Weights = np.where(x <= 1, near, np.where(x <= 2, far, 0.0))
    return kernel
