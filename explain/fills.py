"""What stands in the place of hidden pixels: a blur of the picture, or what its surroundings suggest.

A fill is made once for a picture and then asked for any number of hidden masks (S, S); pixels that are not
hidden stay bit for bit, and so does padding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import splu

from explain.sights import Mask, Pixels

Fill = Callable[[Mask], Pixels]
MakesFill = Callable[[Pixels, Mask], Fill]

BLUR_SHARE = 1 / 8
"""Of the square's side: the Gaussian's sigma. 28 pixels of 224, nearly a cell of a 7 x 7 grid, which is what
a map can tell apart; see docs/decisions for what narrower ones leave standing."""

DIRECT, DIAGONAL = 1 / 6, 1 / 12
"""What the four direct and the four diagonal neighbours weigh (Rong et al. 2022, section 5)."""
NOISE = 0.01
"""Standard deviation of what is added to imputed pixels, in normalised colours (their published code)."""
LATTICE = 28
"""Points along a side on which the equations are solved; a larger picture is reduced to about as many."""
SWEEPS = 8
"""Averagings at full size that follow: an enlarged solution is off only where it meets what is seen."""
LEAST_KNOWN = 1e-6
"""Share of a point's area that must be known for its mean to be known."""
_NEIGHBOURS = np.array(
    [[DIAGONAL, DIRECT, DIAGONAL], [DIRECT, 0, DIRECT], [DIAGONAL, DIRECT, DIAGONAL]], np.float32
)


def blur(pixels: Pixels, seen: Mask, *, share: float = BLUR_SHARE) -> Fill:
    """Return the fill by the picture's own Gaussian blur, padding left out of the averages.

    pixels (3, S, S), seen (S, S). (Petsiuk et al. 2018 for insertion; Fong & Vedaldi 2017.)
    """
    blurred = _blurred(pixels, seen, share * pixels.shape[1])
    return lambda hidden: _replaced(pixels, hidden & seen, blurred)


def noisy_linear(pixels: Pixels, seen: Mask, *, seed: int = 0) -> Fill:
    """Return the fill by noisy linear imputation: each hidden pixel is the mean of its neighbours, and noise.

    The system of equations is solved on a reduced square and smoothed at full size, so that it takes
    milliseconds. Where everything is hidden there is nothing to go by, and the fill is the mean colour, 0.
    (ROAD, Rong et al., ICML 2022.)
    """
    noise = NOISE * np.random.default_rng(seed).standard_normal(pixels.shape, np.float32)
    lattice = _Lattice.of(seen)
    picture = np.ascontiguousarray(np.where(seen, pixels, 0).transpose(1, 2, 0))
    weights = np.maximum(_averaged(seen.astype(np.float32)), np.finfo(np.float32).tiny)
    per_weight = np.ascontiguousarray(np.broadcast_to(1 / weights[..., None], picture.shape))

    def fill(hidden: Mask) -> Pixels:
        hidden = hidden & seen
        known = seen & ~hidden
        if not known.any():
            return _replaced(pixels, hidden, noise)
        gaps = hidden.astype(np.uint8)
        imputed = _laid(_resized(lattice.solved(picture, known), len(seen)), gaps, picture.copy())
        for _ in range(SWEEPS):
            imputed = _laid(_averaged(imputed) * per_weight, gaps, imputed)
        return _replaced(pixels, hidden, imputed.transpose(2, 0, 1) + noise)

    return fill


@dataclass(frozen=True, slots=True, eq=False)
class _Lattice:
    """The reduced square: which of its points are seen (n^2,), and the equations that hold at each.

    A row of `equations` (n^2, n^2) is a point less the weighted mean of its seen neighbours, times a weight.
    """

    side: int
    inside: NDArray[np.bool_]
    equations: sparse.csr_matrix

    @classmethod
    def of(cls, seen: Mask) -> _Lattice:
        side = min(LATTICE, len(seen))
        inside = (_resized(seen.astype(np.float32), side) > 0).ravel()
        step, same = sparse.diags([1.0, 1.0], [-1, 1], shape=(side, side)), sparse.identity(side)
        direct = sparse.kron(step, same) + sparse.kron(same, step)
        neighbours = (DIRECT * direct + DIAGONAL * sparse.kron(step, step)) @ sparse.diags(1.0 * inside)
        own = np.asarray(neighbours.sum(axis=1)).ravel()
        return cls(side, inside, sparse.csr_matrix(sparse.diags(np.maximum(own, DIAGONAL)) - neighbours))

    def solved(self, picture: NDArray[np.float32], known: Mask) -> NDArray[np.float32]:
        """The picture (S, S, 3) on the lattice (n, n, 3): the means of what is known, the rest solved."""
        weight = _resized(known.astype(np.float32), self.side)
        means = _resized(picture * known[..., None], self.side) / np.maximum(weight, LEAST_KNOWN)[..., None]
        fixed = weight.ravel() > LEAST_KNOWN
        unknown = self.inside & ~fixed
        points = means.reshape(-1, 3).astype(np.float64)
        if unknown.any() and fixed.any():
            rows = self.equations[unknown]
            points[unknown] = splu(rows[:, unknown].tocsc()).solve(-(rows[:, fixed] @ points[fixed]))
        return points.reshape(self.side, self.side, 3).astype(np.float32)


def _replaced(pixels: Pixels, hidden: Mask, by: Pixels) -> Pixels:
    filled: Pixels = pixels.copy()
    np.copyto(filled, by, where=hidden)
    return filled


def _laid(
    over: NDArray[np.float32], where: NDArray[np.uint8], ground: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Lay (S, S, 3) over the ground, in place: np.where takes ten times as long as the averages."""
    return np.asarray(cv2.copyTo(over, where, ground), np.float32)


def _blurred(pixels: Pixels, seen: Mask, sigma: float) -> Pixels:
    def smooth(plane: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT), np.float32)

    inside = seen.astype(np.float32)
    weight = np.maximum(smooth(inside), np.finfo(np.float32).tiny)
    blurred: Pixels = np.stack([smooth(channel * inside) for channel in pixels]) / weight
    return blurred


def _averaged(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """The weighted sum of each pixel's eight neighbours, nothing beyond the edge: (S, S) or (S, S, 3)."""
    summed = cv2.filter2D(plane, -1, _NEIGHBOURS, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(summed, np.float32)


def _resized(plane: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Means of areas where it shrinks, straight lines between them where it grows."""
    way = cv2.INTER_AREA if side < len(plane) else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(plane, (side, side), interpolation=way), np.float32)
