"""The main index: candidates from an approximate engine, re-scored by the exact embeddings."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gallery.index.faiss_engine import Allowed
from gallery.index.remembering import OfArrays
from gallery.segments.embeddings import Embeddings, squared_distances
from gallery.vector_index import Nearest, VectorIndex, as_query, merged

SPARE = 2
"""Candidates for each match that is asked for, at the least."""

LARGEST_SHARE = 4
"""Where more than a fourth of all are candidates, looking at all is quicker."""

ROWS_PER_ROOT = 40
"""Allowed embeddings per √n, up to which looking at each is quicker than an engine with a filter.

An embedding costs 0.2 µs, the engine 0.3 ms times all over the allowed ones: `benchmarks/index_filters.py`.
"""


class Engine(Protocol):
    """What proposes positions; see FaissEngine."""

    @property
    def filters(self) -> bool:
        """Whether `propose` heeds what is allowed."""

    @property
    def most_probes(self) -> int:
        """The greatest effort that changes anything."""

    def __len__(self) -> int:
        """How many it holds."""

    def propose(
        self, query: NDArray[np.float32], *, count: int, probes: int, allowed: Allowed | None = None
    ) -> NDArray[np.int64]:
        """At most `count` positions, nearest first."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How far a search looks: the engine's `probes`, and how many `candidates` are re-scored."""

    probes: int
    candidates: int

    def __post_init__(self) -> None:
        if self.probes < 1 or self.candidates < 1:
            raise ValueError(f"A search looks at something, not at {self.probes} and {self.candidates}.")


class MainIndex:
    """Approximate search with the recall that its effort was tuned for; see VectorIndex.

    The distances are exact ones. Never an id that is not allowed, whatever the engine proposes; never fewer
    than exist, because what the engine does not find is looked for exactly. `missing` are the positions
    (ascending) whose embeddings are no more: they are not found.
    """

    def __init__(
        self,
        embeddings: Embeddings,
        engine: Engine,
        effort: Effort,
        *,
        missing: NDArray[np.int64] | None = None,
        rows_per_root: int = ROWS_PER_ROOT,
    ) -> None:
        if len(engine) != len(embeddings):
            raise ValueError(f"The engine holds {len(engine)} of {len(embeddings)} embeddings.")
        self._embeddings = embeddings
        self._engine = engine
        self._effort = effort
        self._present = _present(len(embeddings), missing)
        self._exact_up_to = int(rows_per_root * math.sqrt(len(embeddings)))
        self._allowed: OfArrays[Allowed] = OfArrays()

    def __len__(self) -> int:
        return len(self._embeddings if self._present is None else self._present)

    def search(
        self, embedding: NDArray[np.float32], *, count: int, allowed: NDArray[np.int64] | None = None
    ) -> Nearest:
        """See VectorIndex."""
        query = as_query(embedding, count=count, dimension=self._embeddings.dimension)
        among = self._present if allowed is None else self._among(allowed)
        if not self._is_worth_asking(count, among):
            return self._exact(query, count, among)
        proposed = self._proposed(query, count, among)
        if among is not None and not among.mask[proposed].all():
            return self._exact(query, count, among)  # it does not filter: its word is worth nothing
        found = rescored(self._embeddings, query, proposed, count)
        if len(found.content_ids) < min(count, len(self._embeddings if among is None else among)):
            return self._exact(query, count, among)  # it found too few, or a content in several segments
        return found._replace(exhaustive=False)

    def _is_worth_asking(self, count: int, among: Allowed | None) -> bool:
        if count * SPARE * LARGEST_SHARE > len(self._embeddings):
            return False
        return among is None or (self._engine.filters and len(among) > self._exact_up_to)

    def _proposed(self, query: NDArray[np.float32], count: int, among: Allowed | None) -> NDArray[np.int64]:
        wanted = max(self._effort.candidates, SPARE * count)
        probes = math.ceil(self._effort.probes * wanted / self._effort.candidates)
        probes = min(probes, self._engine.most_probes)
        return self._engine.propose(query, count=wanted, probes=probes, allowed=among)

    def _exact(self, query: NDArray[np.float32], count: int, among: Allowed | None) -> Nearest:
        positions = None if among is None else among.positions
        return self._embeddings.nearest(query, count=count, positions=positions)

    def _among(self, allowed: NDArray[np.int64]) -> Allowed:
        known = self._allowed.of(allowed)
        if known is not None:
            return known
        positions = self._embeddings.positions(allowed)
        if self._present is not None:
            positions = positions[self._present.mask[positions]]
        among = Allowed(positions, len(self._embeddings))
        return self._allowed.keep(allowed, among, size=among.bytes)


class CombinedIndex:
    """Several indexes, each with contents of its own, asked one after the other; see VectorIndex."""

    def __init__(self, indexes: Sequence[VectorIndex]) -> None:
        self._indexes = tuple(indexes)

    def __len__(self) -> int:
        return sum(map(len, self._indexes))

    def search(
        self, embedding: NDArray[np.float32], *, count: int, allowed: NDArray[np.int64] | None = None
    ) -> Nearest:
        """See VectorIndex."""
        found = [each.search(embedding, count=count, allowed=allowed) for each in self._indexes]
        return merged(found, count)


def rescored(
    embeddings: Embeddings, query: NDArray[np.float32], positions: NDArray[np.int64], count: int
) -> Nearest:
    """The `count` nearest of the positions by their exact distances."""
    squared = squared_distances(query, embeddings.rows(positions))
    if len(squared) > count:
        near = squared <= np.partition(squared, count - 1)[count - 1]
        found = merged([Nearest(embeddings.content_ids(positions[near]), np.sqrt(squared[near]))], count)
        if len(found.content_ids) == count:  # fewer where a content is in two segments
            return found
    return merged([Nearest(embeddings.content_ids(positions), np.sqrt(squared))], count)


def _present(total: int, missing: NDArray[np.int64] | None) -> Allowed | None:
    if missing is None or not len(missing):
        return None
    return Allowed(np.setdiff1d(np.arange(total), missing, assume_unique=True), total)
