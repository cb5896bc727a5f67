"""Clusters of embeddings, for galleries that nobody has labelled: k-means, with as many as the data support.

Unit embeddings are compared by their distance, so that the clusters are those of the search.
docs/galleries.md has what other methods reached on labelled photographs with the labels hidden.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gallery.errors import NothingToCluster

SAMPLE = 10_000
"""Embeddings that the number of clusters is chosen on: some minutes at most, whatever the gallery's size."""

ROUGH_ITERATIONS = 30
"""Of k-means while the number is chosen; what comes after changes the criterion by less than its steps."""

ITERATIONS = 100

GROWTH = 1.5
"""From one number of clusters that is tried to the next."""

PATIENCE = 2
"""Numbers that may be worse than the best one before the search for it ends: the curve has one valley."""

RESTARTS = 3
"""Of the final k-means of at most SAMPLE embeddings; the one with the nearest centres is taken."""


@dataclass(frozen=True, slots=True, eq=False)
class Clustering:
    """Which cluster each embedding is in, `members` (n,) int64 from 0, the largest cluster first.

    `exemplars` (k,) int64 are the positions nearest to each cluster's centre, and `distances` (n,) float32
    are from the exemplar of one's own cluster. `chosen` says whether the number was chosen by the data.
    """

    members: NDArray[np.int64]
    exemplars: NDArray[np.int64]
    distances: NDArray[np.float32]
    chosen: bool


def clusters(embeddings: NDArray[np.float32], *, count: int | None = None, seed: int = 0) -> Clustering:
    """Part (n, D) unit embeddings into `count` clusters, or into as many as `supported` says.

    The same embeddings and seed give the same clusters. Raises NothingToCluster for fewer than two
    embeddings, or fewer than `count`.
    """
    least = 2 if count is None else max(1, count)
    if len(embeddings) < least:
        raise NothingToCluster(
            f"{len(embeddings)} different images cannot be parted into {count or 'several'} clusters."
        )
    wanted = supported(embeddings, seed=seed) if count is None else count
    restarts = RESTARTS if len(embeddings) <= SAMPLE else 1
    fitted = _k_means(embeddings, wanted, restarts=restarts, iterations=ITERATIONS, seed=seed)
    order = np.argsort(-np.bincount(fitted.labels_, minlength=wanted), kind="stable")
    rank = np.argsort(order)
    members = rank[fitted.labels_].astype(np.int64)
    centres = fitted.cluster_centers_[order]
    to_centre = np.linalg.norm(embeddings - centres[members], axis=1)
    exemplars = np.array(
        [_nearest(np.flatnonzero(members == each), to_centre) for each in range(wanted)], np.int64
    )
    distances = np.linalg.norm(embeddings - embeddings[exemplars[members]], axis=1).astype(np.float32)
    return Clustering(members, exemplars, distances, chosen=count is None)


def supported(embeddings: NDArray[np.float32], *, seed: int = 0) -> int:
    """How many clusters the embeddings support, by the Bayesian information criterion.

    Each cluster is taken for a spherical Gaussian of one common variance (Pelleg and Moore, X-means, ICML
    2000). Chosen on a sample of at most SAMPLE embeddings.
    """
    generator = np.random.default_rng(seed)
    size = min(len(embeddings), SAMPLE)
    sample = embeddings[np.sort(generator.choice(len(embeddings), size, replace=False))]
    spread = float(np.square(sample - sample.mean(axis=0)).sum())
    best, lowest, worse = 1, _criterion(spread, np.zeros(size, np.int64), sample.shape[1]), 0
    tried = 2
    while tried <= size // 2 and worse < PATIENCE:
        fitted = _k_means(sample, tried, restarts=1, iterations=ROUGH_ITERATIONS, seed=seed)
        criterion = _criterion(float(fitted.inertia_), fitted.labels_, sample.shape[1])
        if criterion < lowest:
            best, lowest, worse = tried, criterion, 0
        else:
            worse += 1
        tried = max(tried + 1, round(tried * GROWTH))
    return best


def _criterion(inertia: float, labels: NDArray[np.int64], dimension: int) -> float:
    """The criterion of a clustering, the lower the better, by its summed squared distances and its parts."""
    sizes = np.bincount(labels)
    sizes = sizes[sizes > 0]
    variance = max(inertia / (len(labels) * dimension), np.finfo(np.float32).tiny)
    fit = len(labels) * dimension * np.log(variance) - 2 * np.sum(sizes * np.log(sizes / len(labels)))
    return float(fit + len(sizes) * (dimension + 1) * np.log(len(labels)))


def _nearest(positions: NDArray[np.int64], to_centre: NDArray[np.float32]) -> int:
    """Of these positions the one that is nearest; a cluster that stayed empty has the first of all."""
    return int(positions[np.argmin(to_centre[positions])]) if len(positions) else 0


def _k_means(embeddings: NDArray[np.float32], count: int, *, restarts: int, iterations: int, seed: int):  # type: ignore[no-untyped-def]
    from sklearn.cluster import KMeans  # a second to import, and only this needs it

    return KMeans(count, n_init=restarts, max_iter=iterations, random_state=seed).fit(embeddings)
