"""Arrays on disk: large rows are read, small ones memory-mapped: for good in long arrays and where all of an
array was asked for, else while they are copied.

What stays mapped is mapped by FAISS, which closes the file at once: an array that Python maps keeps a
descriptor for as long as it lives, and a gallery of many segments would run out of them (a process often has
1,024). Nor do short arrays stay mapped: there may be any number of them, and a process has 65,530 maps.
"""

import ctypes
import math
import mmap
from collections.abc import Sequence
from pathlib import Path
from tokenize import TokenError
from typing import Any

import faiss
import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from gallery.errors import CorruptGallery

_NO_HEADER = (ValueError, TypeError, SyntaxError, TokenError)
"""What numpy raises for a header in which a bit has flipped."""

PAGE = 4096
"""Bytes, of most systems: a row that fills one is read by itself."""
LONG = 1000
"""Rows of an array that stays mapped, so that a gallery has far fewer of them than images."""


class StoredArray:
    """An array that `np.save` wrote, by its rows; safe for many threads.

    Raises CorruptGallery if the file is none, or is gone; what the system refuses (too many open files, say)
    is an OSError.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._whole: NDArray[Any] | None = None
        try:
            with path.open("rb") as stream:
                npy.read_magic(stream)
                self._shape, in_columns, self._dtype = npy.read_array_header_1_0(stream)
                self._begin = stream.tell()
            in_rows = not in_columns and not self._dtype.hasobject and len(self._shape) > 0
            in_rows = in_rows and path.stat().st_size == self._begin + self._shape[0] * self._row_bytes
        except (*_NO_HEADER, FileNotFoundError) as error:
            raise self._corrupt() from error
        if not in_rows:
            raise self._corrupt()

    def __len__(self) -> int:
        """How many rows it has, by its own account."""
        return int(self._shape[0])

    def mapped(self) -> NDArray[Any]:
        """The whole array, read-only and mapped until this and the last view of it are gone; keeps no
        descriptor.

        Raises CorruptGallery where the file is gone or ends too early.
        """
        if self._whole is None:
            self._whole = self._mapped_for_good()
        return self._whole

    def _mapped_for_good(self) -> NDArray[Any]:
        try:
            with self._path.open("rb"):  # too many open files, say, are an error of their own
                pass
            file = faiss.MmappedFileMappingOwner(str(self._path))  # type: ignore[attr-defined]
        except (RuntimeError, FileNotFoundError) as error:
            raise self._corrupt() from error
        if file.size() < self._begin + len(self) * self._row_bytes:
            raise self._corrupt()
        pages = (ctypes.c_char * file.size()).from_address(int(file.data()))
        pages.file = file  # unmapped when this goes
        array = np.frombuffer(pages, self._dtype, count=math.prod(self._shape), offset=self._begin)
        array.flags.writeable = False
        return array.reshape(self._shape)

    def rows(self, rows: Sequence[int]) -> NDArray[Any]:
        """The rows (n, …), in this order; IndexError for one that the array has not."""
        wanted = np.asarray(rows, np.intp)
        outside = wanted[(wanted < 0) | (wanted >= self._shape[0])]
        if len(outside):
            raise IndexError(f"{self._path} has {self._shape[0]} rows, and no row {outside[0]}.")
        try:
            return self._copied(wanted)
        except (ValueError, FileNotFoundError) as error:
            raise self._corrupt() from error

    @property
    def _row_bytes(self) -> int:
        return math.prod(self._shape[1:]) * self._dtype.itemsize

    def _copied(self, wanted: NDArray[np.intp]) -> NDArray[Any]:
        small = self._row_bytes < PAGE
        if self._whole is not None or (small and len(self) >= LONG):
            copied: NDArray[Any] = self.mapped()[wanted]
            return copied
        return self._mapped()[wanted] if small else self._read(wanted)

    def _read(self, wanted: NDArray[np.intp]) -> NDArray[Any]:
        """Row by row: reading a page is cheaper than mapping it for the first time."""
        made = np.empty((len(wanted), *self._shape[1:]), self._dtype)
        with self._path.open("rb", buffering=0) as stream:
            for place, row in enumerate(wanted.tolist()):
                stream.seek(self._begin + row * self._row_bytes)
                if stream.readinto(made[place].data) != self._row_bytes:
                    raise ValueError("the file ends too early")
        return made

    def _mapped(self) -> NDArray[Any]:
        """The whole array; by mmap itself, because numpy.memmap takes twice as long to open a file."""
        with self._path.open("rb") as stream:
            pages = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        count = math.prod(self._shape)
        return np.frombuffer(pages, self._dtype, count=count, offset=self._begin).reshape(self._shape)

    def _corrupt(self) -> CorruptGallery:
        return CorruptGallery(f"{self._path} cannot be opened as an array; restore it or index again.")
