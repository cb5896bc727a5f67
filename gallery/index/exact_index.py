"""Exact search over the embeddings of segments as they lie on disk: an index that costs no byte more."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from gallery.segments.embeddings import Embeddings, Part
from gallery.vector_index import Nearest, as_query

FILTERS_REMEMBERED = 32
"""Sets of allowed ids whose positions are kept: people filter by the same few labels."""

T = TypeVar("T")


class ExactIndex:
    """Every embedding is looked at, or every allowed one; see VectorIndex."""

    def __init__(self, dimension: int, parts: Sequence[Part]) -> None:
        self._embeddings = Embeddings(dimension, parts)
        self._located: Remembered[NDArray[np.int64]] = Remembered()

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
            known = self._located.keep(allowed, self._embeddings.positions(allowed))
        return known


class Remembered(Generic[T]):
    """What was made of the read-only arrays of ids used last; safe for many threads.

    An array is known again by being the same object, which costs nothing; it is held so that it stays so.
    """

    def __init__(self, most: int = FILTERS_REMEMBERED) -> None:
        self._most = most
        self._made: OrderedDict[int, tuple[NDArray[np.int64], T]] = OrderedDict()

    def of(self, ids: NDArray[np.int64]) -> T | None:
        """What is kept for this array, if anything is."""
        held = self._made.get(id(ids))
        return None if held is None else held[1]

    def keep(self, ids: NDArray[np.int64], made: T) -> T:
        """Keep it, unless the array might change; returns it."""
        if not ids.flags.writeable:
            self._made[id(ids)] = (ids, made)
            while len(self._made) > self._most:
                self._made.popitem(last=False)
        return made
