"""A FAISS index that proposes positions: approximate, and re-scored by whoever asks.

All that a search needs goes with the search (`nprobe`, `efSearch`, the filter). Nothing is set on the index,
so that any number of threads may ask.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

import faiss as typed_faiss
import numpy as np
from numpy.typing import NDArray

from gallery.errors import CorruptGallery
from gallery.index.inverted_lists import empty_lists, ids_of, mapped_lists, write_lists

faiss: Any = typed_faiss  # its stubs forget classes and parameters

INDEX_FILE = "index.faiss"
_MAPPED = faiss.IO_FLAG_MMAP_IFC | faiss.IO_FLAG_SKIP_PRECOMPUTE_TABLE
"""The table of distances between centroids and codes takes private memory, time to open, and longer to search
with (at a million, 32 lists: 0.45 ms with it, 0.35 ms without)."""

EFFORTS_REMEMBERED = 16
_NOTHING_FOUND = -1
_NO_SUCH_LIST = -1


class Allowed:
    """Positions that may be proposed, ascending, out of `total`; and how many of them are in each list."""

    def __init__(self, positions: NDArray[np.int64], total: int) -> None:
        self.positions = positions
        self.mask = np.zeros(total, np.bool_)
        self.mask[positions] = True
        packed = np.packbits(self.mask, bitorder="little")
        self.selector = faiss.IDSelectorBitmap(packed)
        self.in_lists: NDArray[np.int64] | None = None
        self.bytes = positions.nbytes + self.mask.nbytes + packed.nbytes

    def __len__(self) -> int:
        return len(self.positions)


class FaissEngine:
    """Any FAISS index whose ids are positions.

    `filters` says whether it may be asked with a filter: an index that is not of inverted lists loses its way
    in one, and those on a GPU ignore it, so that the allowed embeddings are searched exactly instead.
    """

    def __init__(self, index: Any) -> None:
        self._index = index
        is_changed = isinstance(self._index, faiss.IndexPreTransform)
        self._inner = faiss.downcast_index(self._index.index) if is_changed else self._index
        self._chain = _transforms(self._index) if is_changed else []
        self._is_ivf = isinstance(self._inner, faiss.IndexIVF)
        self._lists = faiss.downcast_InvertedLists(self._inner.invlists) if self._is_ivf else None
        self._list_of: NDArray[np.int32] | None = None
        self._visiting = lru_cache(maxsize=EFFORTS_REMEMBERED)(_visiting)

    @classmethod
    def open(cls, folder: Path) -> "FaissEngine":
        """What `write` wrote, mapped; raises CorruptGallery."""
        path = folder / INDEX_FILE
        try:
            engine = cls(faiss.read_index(str(path), _MAPPED))
        except RuntimeError as error:
            with path.open("rb"):  # too many open files, say, are an error of their own
                pass
            raise CorruptGallery(
                f"{path} cannot be opened as an index; restore it or compact the gallery."
            ) from error
        if engine._is_ivf:
            engine._lists = mapped_lists(folder, code_size=_stored_code_size(engine._inner))
            engine._inner.replace_invlists(engine._lists, False)
        return engine

    def write(self, folder: Path) -> None:
        """Write it into an existing folder; it proposes nothing any more."""
        if self._is_ivf:
            write_lists(folder, self._lists)
            none = empty_lists(self._lists)
            self._inner.replace_invlists(none, False)
            self._lists = none
        faiss.write_index(self._index, str(folder / INDEX_FILE))

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def filters(self) -> bool:
        """Whether `propose` heeds what is allowed."""
        return self._is_ivf

    @property
    def most_probes(self) -> int:
        """The greatest effort that changes anything."""
        return int(self._inner.nlist) if self._is_ivf else len(self)

    def propose(
        self, query: NDArray[np.float32], *, count: int, probes: int, allowed: Allowed | None = None
    ) -> NDArray[np.int64]:
        """At most `count` positions (m,), nearest first by the index, for the query (D,).

        `probes` is how far to look: lists, or the candidates that a graph keeps. With `allowed`, lists are
        visited until as many allowed entries were seen as there are entries in so many lists.
        """
        rows = query[np.newaxis]
        for transform in self._chain:
            rows = transform.apply(rows)
        if allowed is not None:
            found = self._propose_allowed(rows, count, probes, allowed)
        else:
            _, found = self._inner.search(rows, count, params=self._parameters(probes, count))
        positions: NDArray[np.int64] = found[0][found[0] != _NOTHING_FOUND]
        return positions

    def _parameters(self, probes: int, count: int) -> Any:
        if self._is_ivf:
            return self._visiting(min(probes, self.most_probes))
        if isinstance(self._inner, faiss.IndexHNSW):
            return faiss.SearchParametersHNSW(efSearch=max(probes, count))
        return None

    def _propose_allowed(
        self, rows: NDArray[np.float32], count: int, probes: int, allowed: Allowed
    ) -> NDArray[np.int64]:
        distances, lists = self._inner.quantizer.search(rows, self.most_probes)
        held = self._in_lists(allowed)[lists[0]]
        held[lists[0] == _NO_SUCH_LIST] = 0
        seen = np.cumsum(held)
        enough = probes * len(self) / self.most_probes
        visited = np.flatnonzero(held)[: np.searchsorted(seen[held > 0], enough) + 1]
        parameters = faiss.SearchParametersIVF(nprobe=len(visited), sel=allowed.selector)
        return self._search_lists(rows, count, lists[:, visited], distances[:, visited], parameters)

    def _search_lists(
        self,
        rows: NDArray[np.float32],
        count: int,
        lists: NDArray[np.int64],
        distances: NDArray[np.float32],
        parameters: Any,
    ) -> NDArray[np.int64]:
        found, near = np.empty((1, count), np.int64), np.empty((1, count), np.float32)
        lists, distances = np.ascontiguousarray(lists), np.ascontiguousarray(distances)
        pointer = faiss.swig_ptr
        self._inner.search_preassigned_c(  # FAISS's own wrapper of it takes no parameters
            1,
            pointer(rows),
            count,
            pointer(lists),
            pointer(distances),
            pointer(near),
            pointer(found),
            False,
            parameters,
        )
        return found

    def _in_lists(self, allowed: Allowed) -> NDArray[np.int64]:
        if allowed.in_lists is None:
            if self._list_of is None:
                self._list_of = self._lists_of_entries()
            numbers = self._list_of[allowed.positions]
            allowed.in_lists = np.bincount(numbers, minlength=self.most_probes)
        return allowed.in_lists

    def _lists_of_entries(self) -> NDArray[np.int32]:
        made = np.zeros(len(self), np.int32)
        for number in range(self.most_probes):
            made[ids_of(self._lists, number)] = number
        return made


def _visiting(probes: int) -> Any:
    """Making it takes as long as re-scoring some candidates."""
    return faiss.SearchParametersIVF(nprobe=probes)


def _transforms(index: Any) -> list[Any]:
    return [faiss.downcast_VectorTransform(index.chain.at(each)) for each in range(index.chain.size())]


def _stored_code_size(index: Any) -> int:
    """Bytes of an entry's code as it lies in a list."""
    if isinstance(index, faiss.IndexIVFFastScan):
        return int(index.M2) // 2
    return int(index.code_size)
