"""Regions of a picture that are left out of what an encoder sees: like padding, in pixels and in pooling."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from siamese.preparing import Prepared
from siamese.preprocessing import SEEN_SHARE, Preprocessing

Region = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels of the upright picture."""


def without(
    prepared: Prepared, regions: Sequence[Region], *, size: tuple[int, int], preprocessing: Preprocessing
) -> Prepared:
    """The picture of this (width, height) without these regions: their pixels are 0, which is the mean
    colour, and a cell of which they leave less than SEEN_SHARE is not seen, so the others are pooled alone.

    Where nothing is left, no cell is seen: that is for the caller to refuse.
    """
    hidden = _hidden(regions, size, preprocessing)
    shown = preprocessing.seen_pixels(*size)
    before, after = (_sums(each, prepared.seen.shape) for each in (shown, shown & ~hidden))
    seen = prepared.seen & (after > 0) & (after >= SEEN_SHARE * before)
    detail = None if prepared.detail is None else np.where(seen, prepared.detail, 0).astype(np.uint8)
    return replace(
        prepared, tensor=np.where(hidden, np.float32(0), prepared.tensor), seen=seen, detail=detail
    )


def _hidden(
    regions: Sequence[Region], size: tuple[int, int], preprocessing: Preprocessing
) -> NDArray[np.bool_]:
    """(S, S): which pixels of the square have their centre in one of the regions."""
    left, top, right, _ = preprocessing.placement(*size).box
    scale = preprocessing.image_size / (right - left)
    hidden = np.zeros((preprocessing.image_size, preprocessing.image_size), np.bool_)
    for region in regions:
        across = _pixels((region[0] - left) * scale, (region[2] - left) * scale)
        down = _pixels((region[1] - top) * scale, (region[3] - top) * scale)
        hidden[down, across] = True
    return hidden


def _pixels(start: float, stop: float) -> slice:
    return slice(max(math.ceil(start - 0.5), 0), max(math.ceil(stop - 0.5), 0))


def _sums(pixels: NDArray[np.bool_], grid: tuple[int, ...]) -> NDArray[np.int64]:
    """How many of the pixels (S, S) are true in each cell of the grid (h, w)."""
    rows, columns = (np.arange(cells) * pixels.shape[0] // cells for cells in grid)
    return np.asarray(
        np.add.reduceat(np.add.reduceat(pixels.astype(np.int64), rows, axis=0), columns, axis=1)
    )
