"""Recall after re-scoring: how many of the true nearest a search finds, measured against exact search."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gallery.segments.embeddings import Embeddings, squared_distances

NEIGHBOURS = 10
SPARE = 10
"""BLAS orders neighbours that are nearly as near wrongly; so many more are measured exactly."""

BLOCK = 8_192
"""Embeddings that all queries are compared with at once."""

EQUALLY_NEAR = 1e-6
"""Squared distances of unit vectors that differ by less are the same but for rounding."""

QUANTILES = 20
"""Twenty steps of a distribution tell a shift of it by a twentieth."""

STANDARD_ERRORS = 1.96
"""Either way, for an interval of 95 %."""


@dataclass(frozen=True, slots=True)
class Recall:
    """The mean share of the `neighbours` nearest that was found, over so many queries.

    `low` and `high` bound it with a confidence of 95 % for other queries like these. `reach` are quantiles of
    the distance of the last of the neighbours, the least first; none where nothing was measured.
    """

    value: float
    low: float
    high: float
    queries: int
    neighbours: int = NEIGHBOURS
    reach: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """Queries (n, D) that are embeddings of the gallery with their own entry left out.

    `own` (n,) are their positions, `reach` (n,) the squared distance of the last of their true `neighbours`.
    """

    queries: NDArray[np.float32]
    own: NDArray[np.int64]
    reach: NDArray[np.float32]
    neighbours: int

    def __len__(self) -> int:
        return len(self.own)

    def hits(self, number: int, embeddings: Embeddings, proposed: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of the positions that were proposed for a query are among its true nearest; never its own."""
        squared = squared_distances(self.queries[number], embeddings.rows(proposed))
        near: NDArray[np.bool_] = squared <= self.reach[number] + EQUALLY_NEAR
        near[proposed == self.own[number]] = False
        return near

    def recall(self, hits: Sequence[int]) -> Recall:
        """The recall of searches that found so many true neighbours each."""
        return recall_of(hits, np.sqrt(self.reach), neighbours=self.neighbours)


def recall_of(hits: Sequence[int], reach: NDArray[np.floating[Any]], *, neighbours: int) -> Recall:
    """The recall of searches that found so many of the true neighbours each, the last at these distances."""
    shares = np.minimum(np.asarray(hits), neighbours) / neighbours
    mean = float(shares.mean())
    # the variance of a share is at most that of a coin; with few misses the sample's is too small
    spread = max(float(shares.std()), np.sqrt(mean * (1 - mean) / neighbours))
    error = STANDARD_ERRORS * float(spread) / np.sqrt(len(shares)) + 1 / (neighbours * len(shares))
    low, high = max(0.0, mean - float(error)), min(1.0, mean + float(error))
    return Recall(mean, low, high, len(shares), neighbours, quantiles(reach))


def quantiles(values: NDArray[np.floating[Any]]) -> tuple[float, ...]:
    """The least, the QUANTILES − 1 between, and the greatest of the values (n,)."""
    return tuple(np.quantile(values, np.linspace(0, 1, QUANTILES + 1)).tolist())


def held_out(embeddings: Embeddings, own: NDArray[np.int64]) -> HeldOut:
    """Queries at these positions, with their true nearest by exact search: n × len(own) comparisons."""
    queries = embeddings.rows(own)
    neighbours = min(NEIGHBOURS, len(embeddings) - 1)
    nearest = nearest_positions(embeddings, queries, min(neighbours + 1 + SPARE, len(embeddings)))
    reach = [
        _reach(embeddings, query, row[row != position], neighbours)
        for query, row, position in zip(queries, nearest, own, strict=True)
    ]
    return HeldOut(queries, own, np.array(reach, np.float32), neighbours)


def nearest_positions(embeddings: Embeddings, queries: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """The positions (n, count) of the nearest to each query (n, D), by BLAS: nearly in their order.

    Of a million a hundred queries take a seventh of the time of `faiss.knn`, which keeps a heap of each: most
    blocks have nothing nearer (benchmarks/nearest_pairs.py).
    """
    cosines = np.full((len(queries), count), -np.inf, np.float32)
    places = np.zeros((len(queries), count), np.int64)
    for start in range(0, len(embeddings), BLOCK):
        rows = embeddings.rows(np.arange(start, min(start + BLOCK, len(embeddings))))
        table = queries @ rows.T
        nearer = np.flatnonzero(table.max(axis=1) > cosines[:, -1])
        most = np.argpartition(-table[nearer], min(count, len(rows)) - 1, axis=1)[:, :count]
        found = np.hstack([cosines[nearer], np.take_along_axis(table[nearer], most, 1)])
        where = np.hstack([places[nearer], most + start])
        kept = np.argsort(-found, axis=1, kind="stable")[:, :count]
        cosines[nearer], places[nearer] = (np.take_along_axis(each, kept, 1) for each in (found, where))
    return places


def _reach(
    embeddings: Embeddings, query: NDArray[np.float32], positions: NDArray[np.int64], neighbours: int
) -> float:
    squared = squared_distances(query, embeddings.rows(positions))
    return float(np.partition(squared, neighbours - 1)[neighbours - 1])
