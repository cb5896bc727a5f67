"""Inverted lists of a FAISS index in a file of their own, which is mapped and not read.

FAISS itself maps lists that lie one after the other, but reads those of fast-scan codes into memory: their
entries are in blocks of 32. A file whose lists have room for whole blocks serves both, because the codes of a
list then are as long as their room.

lists.bin  each list's codes and after them its ids, int64, both with room for whole blocks
lists.npy  (lists, 3) uint64: entries, room for entries, and where it begins in bytes
"""

import ctypes
from pathlib import Path
from typing import Any, BinaryIO

import faiss as typed_faiss
import numpy as np
from numpy.typing import NDArray

from gallery.errors import CorruptGallery

faiss: Any = typed_faiss  # its stubs forget classes and parameters

LISTS_FILE = "lists.bin"
TABLE_FILE = "lists.npy"
_ID = np.dtype(np.int64)


def write_lists(folder: Path, lists: Any) -> None:
    """Write the inverted lists of an index in memory."""
    table = np.zeros((lists.nlist, 3), np.uint64)
    block, block_bytes = _block(lists)
    with (folder / LISTS_FILE).open("wb") as stream:
        for number in range(lists.nlist):
            entries = lists.list_size(number)
            blocks = -(-entries // block)
            table[number] = entries, blocks * block, stream.tell()
            _write_list(stream, lists, number, entries, blocks * block_bytes, blocks * block)
    np.save(folder / TABLE_FILE, table)


def mapped_lists(folder: Path, *, code_size: int) -> Any:
    """The lists of a folder as FAISS searches them; raises CorruptGallery where they are not whole."""
    try:
        table = np.ascontiguousarray(np.load(folder / TABLE_FILE), np.uint64)
        length = (folder / LISTS_FILE).stat().st_size
    except (OSError, ValueError) as error:
        raise _corrupt(folder) from error
    if table.ndim != 2 or _end(table, code_size) != length:
        raise _corrupt(folder)
    lists = faiss.OnDiskInvertedLists()
    lists.nlist, lists.code_size, lists.totsize = len(table), code_size, length
    lists.filename, lists.read_only = str(folder / LISTS_FILE), True
    lists.prefetch_nthread = 0  # it would start threads for each search
    lists.lists.resize(len(table))
    ctypes.memmove(int(lists.lists.data().this), table.ctypes.data, table.nbytes)
    lists.do_mmap()
    return lists


def empty_lists(lists: Any) -> Any:
    """As many lists of the same kind, without entries."""
    if isinstance(lists, faiss.BlockInvertedLists):
        return faiss.BlockInvertedLists(lists.nlist, lists.n_per_block, lists.block_size)
    return faiss.ArrayInvertedLists(lists.nlist, lists.code_size)


def ids_of(lists: Any, number: int) -> NDArray[np.int64]:
    """The ids of one list."""
    entries = lists.list_size(number)
    if not entries:
        return np.empty(0, np.int64)
    ids: NDArray[np.int64] = faiss.rev_swig_ptr(lists.get_ids(number), entries)
    return ids


def _block(lists: Any) -> tuple[int, int]:
    """Entries of a block, and the bytes of their codes."""
    if isinstance(lists, faiss.BlockInvertedLists):
        return lists.n_per_block, lists.block_size
    return 1, lists.code_size


def _write_list(stream: BinaryIO, lists: Any, number: int, entries: int, code_bytes: int, room: int) -> None:
    if entries:
        stream.write(faiss.rev_swig_ptr(lists.get_codes(number), code_bytes).tobytes())
        stream.write(ids_of(lists, number).tobytes().ljust(room * _ID.itemsize, b"\0"))


def _end(table: NDArray[np.uint64], code_size: int) -> int:
    return int(table[:, 1].sum()) * (code_size + _ID.itemsize)


def _corrupt(folder: Path) -> CorruptGallery:
    return CorruptGallery(f"The inverted lists in {folder} are missing or incomplete; compact the gallery.")
