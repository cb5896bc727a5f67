"""How a segment keeps local embeddings: in one byte a number, in two, or not at all.

local_embeddings.npy          (n, h, w, D) int8, or
local_embeddings_float16.npy  (n, h, w, D) float16, to be multiplied by
scales.npy                    (n,) float32

A segment that keeps none has none of these files: the names of its files say how it keeps them.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gallery.local_storage import LocalStorage
from gallery.segments.arrays import StoredArray
from gallery.segments.quantization import dequantize, halve, largest_magnitude, quantize

FILES: Mapping[LocalStorage, str] = {
    "int8": "local_embeddings.npy",
    "float16": "local_embeddings_float16.npy",
}
SCALES = "scales.npy"

_ROUNDED: Mapping[str, tuple[type, Callable[[NDArray[np.float32]], tuple[NDArray[Any], float]]]] = {
    "int8": (np.int8, quantize),
    "float16": (np.float16, halve),
}


def storage_of(files: Collection[str]) -> LocalStorage:
    """How a segment of files with these names keeps local embeddings."""
    return next((storage for storage, file in FILES.items() if file in files), "none")


def write_local_embeddings(
    folder: Path, local_embeddings: Sequence[NDArray[np.float32]], storage: LocalStorage
) -> None:
    """Write those of some contents (h, w, D), row by row; ValueError if a number is not finite."""
    if storage == "none":  # what cannot be kept is refused all the same
        for each in local_embeddings:
            largest_magnitude(each)
        return
    kind, rounded = _ROUNDED[storage]
    values = np.empty((len(local_embeddings), *local_embeddings[0].shape), kind)
    scales = np.empty(len(local_embeddings), np.float32)
    for row, each in enumerate(local_embeddings):
        values[row], scales[row] = rounded(each)
    np.save(folder / FILES[storage], values)
    np.save(folder / SCALES, scales)


class StoredLocalEmbeddings:
    """Those that a segment keeps, by row."""

    def __init__(self, folder: Path, storage: LocalStorage) -> None:
        self._values = StoredArray(folder / FILES[storage])
        self._scales = StoredArray(folder / SCALES)

    def rows(self, rows: Sequence[int]) -> NDArray[np.float32]:
        """(n, h, w, D) float32."""
        return dequantize(self._values.rows(rows), self._scales.rows(rows)[:, None, None, None])
