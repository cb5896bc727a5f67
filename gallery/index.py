"""Finding the nearest embeddings: the seam to the index engine, and FAISS behind it."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import faiss
import numpy as np
from numpy.typing import NDArray

from gallery.errors import CorruptGallery

_FAISS_FILLS_UP_WITH = -1
"""The id that FAISS gives where it found fewer than asked for."""

_MAPPED = getattr(faiss, "IO_FLAG_MMAP_IFC", 0)
"""Flat codes are mapped; an older FAISS that cannot reads them."""


class Nearest(NamedTuple):
    """Content ids (n,) int64 and their Euclidean distances (n,) float32, ascending, equal ones by id."""

    content_ids: NDArray[np.int64]
    distances: NDArray[np.float32]


class VectorIndex(Protocol):
    """What a gallery asks of an index engine; `tests/gallery/index_conformance.py` holds engines to it."""

    def __len__(self) -> int:
        """How many embeddings it holds."""

    def search(
        self, embedding: NDArray[np.float32], *, count: int, allowed: NDArray[np.int64] | None = None
    ) -> Nearest:
        """The `count` nearest to the embedding (D,), each id once; with `allowed`, among these ids only.

        Fewer only if fewer exist. Safe to call from several threads. ValueError if count < 1 or the
        embedding's shape is another.
        """


class FaissIndex:
    """Exact search over one flat FAISS file per segment, memory-mapped, the ids being content ids.

    `IndexIDMap` rather than `IndexIDMap2`: the latter reads an inverse map of all ids into memory, which
    would make opening slow, and nobody reconstructs embeddings from the index.
    """

    def __init__(self, dimension: int, paths: Sequence[Path]) -> None:
        self._dimension = dimension
        self._segments = [_read(path, dimension) for path in paths]

    def __len__(self) -> int:
        """How many embeddings it holds."""
        return sum(segment.ntotal for segment in self._segments)

    def search(
        self, embedding: NDArray[np.float32], *, count: int, allowed: NDArray[np.int64] | None = None
    ) -> Nearest:
        """Ask every segment and merge; see VectorIndex."""
        if count < 1:
            raise ValueError(f"At least one must be asked for, not {count}.")
        if embedding.shape != (self._dimension,):
            raise ValueError(f"The index holds {self._dimension} numbers each, not {embedding.shape}.")
        if allowed is not None and not len(allowed):
            return _merged([], count)
        query = np.ascontiguousarray(embedding[np.newaxis], dtype=np.float32)
        parameters = None if allowed is None else _only(allowed)
        return _merged([_ask(each, query, count, parameters) for each in self._segments], count)


def write_index(path: Path, content_ids: NDArray[np.int64], embeddings: NDArray[np.float32]) -> None:
    """A flat index of embeddings (n, D) under their ids (n,), to be opened by FaissIndex."""
    index = faiss.IndexIDMap(faiss.IndexFlatL2(embeddings.shape[1]))
    index.add_with_ids(np.ascontiguousarray(embeddings, dtype=np.float32), content_ids.astype(np.int64))
    faiss.write_index(index, str(path))


def _read(path: Path, dimension: int) -> faiss.Index:
    try:
        index = faiss.read_index(str(path), _MAPPED)
    except RuntimeError as error:
        with path.open("rb"):  # too many open files, say, are an error of their own
            pass
        raise CorruptGallery(
            f"{path} cannot be opened as an index; restore the file or index again."
        ) from error
    if index.d != dimension:
        raise CorruptGallery(f"{path} holds {index.d} numbers an embedding where its build says {dimension}.")
    return index


def _only(allowed: NDArray[np.int64]) -> faiss.SearchParameters:
    selector = faiss.IDSelectorBatch(np.ascontiguousarray(allowed, dtype=np.int64))
    return faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]  # faiss's stubs forget the keywords


def _ask(
    segment: faiss.Index, query: NDArray[np.float32], count: int, parameters: faiss.SearchParameters | None
) -> Nearest:
    squared, ids = segment.search(query, min(count, segment.ntotal), params=parameters)
    found = ids[0] != _FAISS_FILLS_UP_WITH
    return Nearest(ids[0][found], np.sqrt(squared[0][found]))


def _merged(parts: Sequence[Nearest], count: int) -> Nearest:
    ids = np.concatenate([np.empty(0, np.int64), *(part.content_ids for part in parts)])
    distances = np.concatenate([np.empty(0, np.float32), *(part.distances for part in parts)])
    order = np.lexsort((ids, distances))
    _, first = np.unique(ids[order], return_index=True)
    kept = order[np.sort(first)][:count]
    return Nearest(ids[kept], distances[kept])
