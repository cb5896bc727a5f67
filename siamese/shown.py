"""Shown pairs: a query with the matches that a search shows first, whose labels say whether they are same."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from siamese.embedded_samples import EmbeddedSamples
from siamese.pairs import Pairs
from siamese.retrieval import blocks

# As many matches as a search shows when it is not told how many.
SHOWN = 10


def shown_pairs(
    queries: EmbeddedSamples,
    references: EmbeddedSamples,
    *,
    k: int = SHOWN,
    units: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None,
) -> Pairs:
    """Each query with its `k` nearest references, nearest first; fewer where there are fewer.

    Never with its own content, nor with an image of its own unit: `units` are numbers of the queries' and
    the references' units, negative for an image that is in none.
    """
    order = [
        _nearest(
            queries.embeddings[rows] @ references.embeddings.T,
            _kept_apart(rows, queries, references, units),
            k,
        )
        for rows in blocks(len(queries.samples))
    ]
    asking = np.repeat(np.arange(len(queries.samples)), [len(row) for block in order for row in block])
    matched = np.concatenate([np.empty(0, np.int64), *(row for block in order for row in block)])
    return Pairs(asking, matched, queries.labels[asking] == references.labels[matched])


def _kept_apart(
    rows: slice,
    queries: EmbeddedSamples,
    references: EmbeddedSamples,
    units: tuple[NDArray[np.int64], NDArray[np.int64]] | None,
) -> NDArray[np.bool_]:
    """(rows, references) which references a query must not be shown."""
    apart: NDArray[np.bool_] = queries.checksums[rows, None] == references.checksums
    if units is not None:
        asking, answering = units
        apart |= (asking[rows, None] == answering) & (answering >= 0)
    return apart


def _nearest(cosines: NDArray[np.float32], apart: NDArray[np.bool_], k: int) -> list[NDArray[np.int64]]:
    """For each row the columns with the greatest cosines, greatest first."""
    cosines[apart] = -np.inf
    order = np.argsort(-cosines, axis=1, kind="stable")[:, :k]
    return [row[np.isfinite(cosines[at, row])] for at, row in enumerate(order)]
