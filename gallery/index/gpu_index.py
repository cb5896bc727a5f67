"""Exact search on a GPU: all embeddings lie there in half precision, and what it proposes is re-scored.

What FAISS's indexes on a GPU cannot do is not asked of them: they ignore filters without a word, so that a
filtered search goes to the index on the CPU; they are not safe even for two readers, so that searches take
turns; they cannot remove, and nobody asks them to. Compressed kinds are not copied there: 80 GB hold 300
million embeddings of 128 numbers as they are, and searching those misses nothing.
"""

import threading
from typing import Any

import faiss as typed_faiss
import numpy as np
from numpy.typing import NDArray

from gallery.index.main_index import SPARE, rescored
from gallery.segments.embeddings import Embeddings
from gallery.vector_index import Nearest, VectorIndex, as_query

faiss: Any = typed_faiss  # its stubs forget classes and parameters

LEAST_CANDIDATES = 100
"""Half precision puts neighbours that are nearly as near in another order; so many are measured exactly."""

MOST_CANDIDATES = 2048
"""What FAISS gives from a GPU at once."""

BLOCK = 65_536

MOST_TOLD = 200
"""Characters of an error of FAISS."""


class GpuIndex:
    """See VectorIndex; `cpu` holds the same embeddings and answers what the GPU cannot."""

    def __init__(self, embeddings: Embeddings, cpu: VectorIndex, *, index: Any) -> None:
        """`index` is an empty FAISS index; see `flat_on_gpu`."""
        self._embeddings = embeddings
        self._cpu = cpu
        self._index = index
        self._lock = threading.Lock()
        for start in range(0, len(embeddings), BLOCK):
            self._index.add(embeddings.rows(np.arange(start, min(start + BLOCK, len(embeddings)))))

    def __len__(self) -> int:
        return len(self._embeddings)

    def search(
        self, embedding: NDArray[np.float32], *, count: int, allowed: NDArray[np.int64] | None = None
    ) -> Nearest:
        """See VectorIndex."""
        query = as_query(embedding, count=count, dimension=self._embeddings.dimension)
        wanted = min(max(LEAST_CANDIDATES, SPARE * count), len(self._embeddings))
        if allowed is not None or wanted > MOST_CANDIDATES or not wanted:
            return self._cpu.search(embedding, count=count, allowed=allowed)
        with self._lock:
            _, proposed = self._index.search(query[np.newaxis], wanted)
        found = rescored(self._embeddings, query, proposed[0], count)
        if len(found.content_ids) < min(count, len(self)):  # an id in two segments
            return self._cpu.search(embedding, count=count)
        return found


def gpus() -> int:
    """How many GPUs FAISS can use; none where it was built without."""
    return int(faiss.get_num_gpus()) if hasattr(faiss, "StandardGpuResources") else 0


def flat_on_gpu(dimension: int, *, number: int = 0) -> Any:
    """An empty exact index in half precision on a GPU."""
    options = faiss.GpuIndexFlatConfig()
    options.useFloat16, options.device = True, number
    return faiss.GpuIndexFlatL2(faiss.StandardGpuResources(), dimension, options)


def told_by_faiss(error: RuntimeError) -> str:
    """What FAISS says, without where in its own files it says so."""
    told = " ".join(str(error).split()).rpartition("Error: ")[2]
    return told[:MOST_TOLD] or type(error).__name__
