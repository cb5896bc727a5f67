"""Measures of retrieval, over whole sets.

R@k, P@k and MAP@R as in Musgrave et al., "A metric learning reality check" (ECCV 2020), section 2.3.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Strings = npt.NDArray[np.str_]

# Queries (or pairs) compared at once: bounds the memory to as many rows of all references.
BLOCK = 256
# Neighbours whose labels are kept for each query: the greatest k of R@k and P@k.
DEPTH = 10


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """How each query fared among the references; queries in their order.

    `relevant` counts the references of the query's label that are not its own content; where it is 0 the
    query has nothing to find, and the other numbers mean nothing.
    """

    relevant: npt.NDArray[np.int64]
    first_found: npt.NDArray[np.int64]
    """(n,) rank, from 1, of the nearest reference with the query's label; 0 where there is none."""
    average_precision_at_r: npt.NDArray[np.float64]
    found: npt.NDArray[np.int64]
    """(n, DEPTH) how many of the so many nearest have the query's label."""
    others: npt.NDArray[np.int64]
    """(n,) how many references are not the query's own content."""
    nearest: npt.NDArray[np.int64]
    """(n,) the position of the nearest reference; -1 where there is none but the query's own content."""

    @property
    def asked(self) -> npt.NDArray[np.bool_]:
        """(n,) which queries have something to find."""
        return self.relevant > 0

    def recalled(self, k: int) -> npt.NDArray[np.float64]:
        """(n,) 1 where a reference of the query's label is among the k nearest, else 0."""
        return (self.asked & (self.first_found <= k)).astype(np.float64)

    def precision(self, k: int) -> npt.NDArray[np.float64]:
        """(n,) the share of the k nearest that have the query's label; of all where there are fewer."""
        reached = np.clip(self.others, 1, k)
        return np.take_along_axis(self.found, reached[:, None] - 1, axis=1)[:, 0] / reached

    def recall_at(self, k: int) -> npt.NDArray[np.float64]:
        """`recalled` of the queries that have something to find."""
        return self.recalled(k)[self.asked]

    def map_at_r(self) -> npt.NDArray[np.float64]:
        """Average precision at R, of the queries that have something to find."""
        return self.average_precision_at_r[self.asked]


def rank(
    queries: Floats, references: Floats, labels: tuple[Strings, Strings], checksums: tuple[Strings, Strings]
) -> Ranked:
    """Rank unit embeddings (m, D) of references for each query (n, D), leaving out the query's own content.

    `labels` and `checksums` are those of the queries and those of the references.
    """
    ranked = [
        _rank_block(
            queries[rows] @ references.T,
            labels[0][rows, None] == labels[1],
            checksums[0][rows, None] == checksums[1],
        )
        for rows in blocks(len(queries))
    ]
    if not ranked:
        none = np.empty(0, np.int64)
        return Ranked(none, none, np.empty(0), np.empty((0, DEPTH), np.int64), none, none)
    return Ranked(*(np.concatenate(column) for column in zip(*ranked, strict=True)))


def distances(queries: Floats, references: Floats) -> npt.NDArray[np.float64]:
    """Distances (n,) between the rows of two (n, D) arrays, from their difference; 0 for equal rows."""
    lengths = [np.linalg.norm(queries[rows] - references[rows], axis=1) for rows in blocks(len(queries))]
    return np.concatenate([np.empty(0), *lengths])


def _rank_block(
    cosines: Floats, same_label: npt.NDArray[np.bool_], same_content: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[Any], ...]:
    """The fields of `Ranked` for some queries."""
    cosines[same_content] = -np.inf
    order = np.argsort(-cosines, axis=1, kind="stable")
    relevant = same_label & ~same_content
    found = np.take_along_axis(relevant, order, axis=1)
    count = relevant.sum(axis=1)
    ranks = np.arange(1, cosines.shape[1] + 1)
    counted = found & (ranks <= count[:, None])
    running = np.cumsum(found, axis=1)
    precision = (counted * running / ranks).sum(axis=1) / np.maximum(count, 1)
    others = (~same_content).sum(axis=1)
    return (
        count,
        np.where(count > 0, found.argmax(axis=1) + 1, 0),
        precision,
        np.pad(running, ((0, 0), (0, DEPTH)), mode="edge")[:, :DEPTH],
        others,
        np.where(others > 0, order[:, 0], -1),
    )


def blocks(count: int) -> Iterator[slice]:
    """Slices of at most BLOCK rows."""
    return (slice(start, start + BLOCK) for start in range(0, count, BLOCK))
