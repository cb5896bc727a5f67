"""Local embeddings in one or two bytes a number, with one scale per image.

As int8 the scale is the image's largest magnitude / 127, so that zero stays exactly zero (cells that the
encoder did not see are zero), and the error of a number is at most half a scale. As float16 it is the largest
magnitude itself, so that no number is too large for it, and the error is at most 2^-11 of a number, or 2^-25
of the scale where that is more (float16 has no finer steps near zero).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

LEVELS = 127  # symmetric: −128 is not used, so that x and −x are stored alike


def quantize(local_embeddings: NDArray[np.float32]) -> tuple[NDArray[np.int8], float]:
    """(h, w, D) float32 to (int8 of the same shape, scale ≥ 0); ValueError if a number is not finite."""
    scale = np.float32(largest_magnitude(local_embeddings) / LEVELS)
    if scale == 0.0:
        return np.zeros(local_embeddings.shape, np.int8), 0.0
    return np.rint(local_embeddings / scale).clip(-LEVELS, LEVELS).astype(np.int8), float(scale)


def halve(local_embeddings: NDArray[np.float32]) -> tuple[NDArray[np.float16], float]:
    """(h, w, D) float32 to (float16 of the same shape, scale ≥ 0); ValueError if a number is not finite."""
    scale = np.float32(largest_magnitude(local_embeddings))
    if scale == 0.0:
        return np.zeros(local_embeddings.shape, np.float16), 0.0
    return (local_embeddings / scale).astype(np.float16), float(scale)


def dequantize(values: NDArray[np.int8 | np.float16], scales: Any) -> NDArray[np.float32]:
    """Values times their scale, float32; `scales` is one number, or an array that broadcasts (n, 1, 1, 1)."""
    floats: NDArray[np.float32] = np.multiply(values, scales, dtype=np.float32)
    return floats


def largest_magnitude(local_embeddings: NDArray[np.float32]) -> float:
    """Of (h, w, D) float32; ValueError if a number is not finite."""
    largest = float(np.abs(local_embeddings).max(initial=0.0))
    if not np.isfinite(largest):
        raise ValueError("Local embeddings must be finite; one is NaN or infinite.")
    return largest
