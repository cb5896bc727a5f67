"""Exact search over the embeddings of segments as they lie on disk: an index that costs no byte more."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gallery.index.remembering import OfArrays
from gallery.segments.embeddings import Embeddings, Part
from gallery.vector_index import Nearest, as_query


class ExactIndex:
    """Every embedding is looked at, or every allowed one; see VectorIndex."""

    def __init__(self, dimension: int, parts: Sequence[Part]) -> None:
        self._embeddings = Embeddings(dimension, parts)
        self._located: OfArrays[NDArray[np.int64]] = OfArrays()

    def __len__(self) -> int:
        return len(self._embeddings)

    def search(
        self, embedding: NDArray[np.float32], *, count: int, allowed: NDArray[np.int64] | None = None
    ) -> Nearest:
        """See VectorIndex."""
        query = as_query(embedding, count=count, dimension=self._embeddings.dimension)
        return self._embeddings.nearest(query, count=count, positions=self._positions(allowed))

    def _positions(self, allowed: NDArray[np.int64] | None) -> NDArray[np.int64] | None:
        if allowed is None:
            return None
        known = self._located.of(allowed)
        if known is None:
            positions = self._embeddings.positions(allowed)
            known = self._located.keep(allowed, positions, size=positions.nbytes)
        return known
