"""Arrays on disk, memory-mapped while their rows are read.

Not for longer: a mapped array keeps a descriptor for as long as it lives, and a gallery of many segments
would run out of them (a process often has 1,024).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from gallery.errors import CorruptGallery


class StoredArray:
    """An array that `np.save` wrote, by its rows; safe for many threads.

    Raises CorruptGallery if the file is none, or is gone; what the system refuses (too many open files, say)
    is an OSError.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with path.open("rb") as stream:
                npy.read_magic(stream)
                self._shape, in_columns, self._dtype = npy.read_array_header_1_0(stream)
                self._begin = stream.tell()
            in_rows = not in_columns and not self._dtype.hasobject and len(self._shape) > 0
        except (ValueError, FileNotFoundError) as error:
            raise self._corrupt() from error
        if not in_rows:
            raise self._corrupt()

    def rows(self, rows: Sequence[int]) -> NDArray[Any]:
        """The rows (n, …), in this order; IndexError for one that the array has not."""
        wanted = np.asarray(rows, np.intp)
        outside = wanted[(wanted < 0) | (wanted >= self._shape[0])]
        if len(outside):
            raise IndexError(f"{self._path} has {self._shape[0]} rows, and no row {outside[0]}.")
        try:
            mapped = np.memmap(self._path, self._dtype, "r", offset=self._begin, shape=self._shape)
        except (ValueError, FileNotFoundError) as error:
            raise self._corrupt() from error
        return np.asarray(mapped)[wanted]

    def _corrupt(self) -> CorruptGallery:
        return CorruptGallery(f"{self._path} cannot be opened as an array; restore it or index again.")
