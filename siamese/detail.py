"""How much there is to see in each cell of the encoder's square: evidence on flat area deserves a warning."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from siamese.preprocessing import Preprocessing

LUMINANCE = (0.299, 0.587, 0.114)
"""Of red, green and blue in brightness, by ITU-R BT.601."""
WHITE = 255


def cell_detail(
    tensor: NDArray[np.float32],
    seen: NDArray[np.bool_],
    *,
    size: tuple[int, int],
    preprocessing: Preprocessing,
) -> NDArray[np.uint8]:
    """The standard deviation of luminance (0 to 255) within each cell: (h, w) uint8, 0 where it is not seen.

    `tensor` (3, S, S) is the preprocessed picture, `size` the picture's (width, height) before; padding
    inside of a cell that is seen does not count.
    """
    shown = preprocessing.seen_pixels(*size).astype(np.float64)
    brightness = np.asarray(LUMINANCE) * preprocessing.std * WHITE
    luminance = np.tensordot(brightness, tensor, axes=1) * shown
    counts, sums, squares = (_cell_sums(each, seen.shape) for each in (shown, luminance, luminance**2))
    counts = np.maximum(counts, 1)
    variance = squares / counts - (sums / counts) ** 2
    deviation = np.sqrt(np.maximum(variance, 0))
    return np.asarray(np.rint(deviation * seen), np.uint8)


def _cell_sums(values: NDArray[np.float64], grid: tuple[int, ...]) -> NDArray[np.float64]:
    """The sums of (S, S) over the cells of the grid (h, w)."""
    rows, columns = (np.arange(cells) * values.shape[0] // cells for cells in grid)
    return np.asarray(np.add.reduceat(np.add.reduceat(values, rows, axis=0), columns, axis=1))
