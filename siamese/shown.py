"""Shown pairs: a query with the matches that a search shows first, whose labels say whether they are same."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from siamese.embedded_samples import EmbeddedSamples
from siamese.pairs import Pairs
from siamese.retrieval import blocks

# As many matches as a search shows when it is not told how many.
SHOWN = 10


def shown_pairs(queries: EmbeddedSamples, references: EmbeddedSamples, *, k: int = SHOWN) -> Pairs:
    """Each query with its `k` nearest references, nearest first; fewer where there are fewer.

    Never with its own content or unit.
    """
    nearest = [row for rows in blocks(len(queries.samples)) for row in _nearest(rows, queries, references, k)]
    asking = np.repeat(np.arange(len(nearest)), [len(row) for row in nearest])
    matched = np.concatenate([np.empty(0, np.int64), *nearest])
    return Pairs(asking, matched, queries.labels[asking] == references.labels[matched])


def _nearest(
    rows: slice, queries: EmbeddedSamples, references: EmbeddedSamples, k: int
) -> list[NDArray[np.int64]]:
    """For each of the queries the positions of its nearest references, nearest first."""
    cosines = queries.embeddings[rows] @ references.embeddings.T
    cosines[queries.apart[rows, None] == references.apart] = -np.inf
    order = np.argsort(-cosines, axis=1, kind="stable")[:, :k]
    return [row[np.isfinite(cosines[at, row])] for at, row in enumerate(order)]
