"""Measures of retrieval and of pair verification, over whole sets, with bootstrap intervals.

Sources: R@k and MAP@R as in Musgrave et al., "A metric learning reality check" (ECCV 2020); the area under
the ROC curve as the chance that a same pair is nearer than a different one (Mann-Whitney, ties count half).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Strings = npt.NDArray[np.str_]

# Queries (or pairs) compared at once: bounds the memory to as many rows of all references.
BLOCK = 256
RESAMPLES = 1000
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Ranked:
    """How each query fared among the references; all (n,), queries in their order.

    `relevant` counts the references of the query's label that are not its own content; where it is 0 the
    query has nothing to find, and the other numbers mean nothing.
    """

    relevant: npt.NDArray[np.int64]
    first_found: npt.NDArray[np.int64]
    """Rank, from 1, of the nearest reference with the query's label; 0 where there is none."""
    average_precision_at_r: npt.NDArray[np.float64]

    def recall_at(self, k: int) -> npt.NDArray[np.float64]:
        """1 where a reference of the query's label is among the k nearest, for queries that have one."""
        return (self.first_found[self.relevant > 0] <= k).astype(np.float64)

    def map_at_r(self) -> npt.NDArray[np.float64]:
        """Average precision at R, for queries with something to find."""
        return self.average_precision_at_r[self.relevant > 0]


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
    columns = zip(*ranked, strict=True) if ranked else ((), (), ())
    relevant, first_found, precision = (np.concatenate([np.empty(0), *column]) for column in columns)
    return Ranked(relevant.astype(np.int64), first_found.astype(np.int64), precision)


def distances(queries: Floats, references: Floats) -> npt.NDArray[np.float64]:
    """Distances (n,) between the rows of two (n, D) arrays, from their difference; 0 for equal rows."""
    lengths = [np.linalg.norm(queries[rows] - references[rows], axis=1) for rows in blocks(len(queries))]
    return np.concatenate([np.empty(0), *lengths])


@dataclass(frozen=True, slots=True)
class Verification:
    """Scored pairs, grouped by distance so that any weighting of them is judged in one pass."""

    same: npt.NDArray[np.bool_]
    groups: npt.NDArray[np.int64]
    """(n,) the rank of the pair's distance; equal distances share one."""

    @classmethod
    def of(cls, distances: npt.NDArray[np.float64], same: npt.NDArray[np.bool_]) -> "Verification":
        """Pairs with these distances (n,), of which some are the same (n,)."""
        return cls(same, np.unique(distances, return_inverse=True)[1])

    def auc(self, weights: npt.NDArray[np.float64] | None = None) -> float | None:
        """Chance that a same pair is nearer than a different one; None without pairs of both kinds."""
        counted = np.ones(len(self.same)) if weights is None else weights
        same = np.bincount(self.groups, weights=counted * self.same)
        different = np.bincount(self.groups, weights=counted * ~self.same)
        judged = same.sum() * different.sum()
        if judged == 0:
            return None
        return float((different * (np.cumsum(same) - same / 2)).sum() / judged)


def mean_interval(values: npt.NDArray[np.float64], *, seed: int) -> tuple[float, float] | None:
    """Bootstrap interval (95 %) of the mean of one number for each query image; None for fewer than two."""
    if len(values) < 2:
        return None
    return _percentiles([float(values[rows].mean()) for rows in _resamples(len(values), seed)])


def auc_interval(
    verification: Verification, queries: npt.NDArray[np.int64], *, seed: int
) -> tuple[float, float] | None:
    """Bootstrap interval (95 %) of the AUC over query images: `queries` (n,) tells whose pair each is."""
    images, positions = np.unique(queries, return_inverse=True)
    if len(images) < 2:
        return None
    scores = [
        verification.auc(np.bincount(rows, minlength=len(images))[positions].astype(np.float64))
        for rows in _resamples(len(images), seed)
    ]
    return _percentiles([score for score in scores if score is not None])


def _rank_block(
    cosines: Floats, same_label: npt.NDArray[np.bool_], same_content: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    cosines[same_content] = -np.inf
    order = np.argsort(-cosines, axis=1, kind="stable")
    relevant = same_label & ~same_content
    found = np.take_along_axis(relevant, order, axis=1)
    count = relevant.sum(axis=1)
    ranks = np.arange(1, cosines.shape[1] + 1)
    counted = found & (ranks <= count[:, None])
    precision = (counted * np.cumsum(found, axis=1) / ranks).sum(axis=1) / np.maximum(count, 1)
    return count, np.where(count > 0, found.argmax(axis=1) + 1, 0), precision


def blocks(count: int) -> Iterator[slice]:
    """Slices of at most BLOCK rows."""
    return (slice(start, start + BLOCK) for start in range(0, count, BLOCK))


def _resamples(count: int, seed: int) -> Iterator[npt.NDArray[np.int64]]:
    generator = np.random.default_rng(seed)
    return (generator.integers(count, size=count) for _ in range(RESAMPLES))


def _percentiles(values: list[float]) -> tuple[float, float] | None:
    if not values:
        return None
    outside = (1 - CONFIDENCE) / 2
    low, high = np.quantile(values, [outside, 1 - outside])
    return float(low), float(high)
