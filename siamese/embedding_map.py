"""A map of the embeddings in two dimensions, and whether their clusters are their labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from siamese.trial import Trial

# Images on a map: more are a cloud, and t-SNE takes minutes.
MAPPED = 1500
# Fewer images have no neighbourhoods to keep, and are projected on their two main directions.
LEAST_FOR_NEIGHBOURS = 30
PERPLEXITY = 30


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddingMap:
    """Points (n, 2) of queries first and then references, their labels (n,), and how many are queries.

    `purity` is the share of these images whose label is the most frequent of their cluster, by k-means on
    the embeddings with as many `clusters` as there are labels; None where there are fewer images than that.
    """

    points: NDArray[np.float64]
    labels: NDArray[np.str_]
    queries: int
    method: Literal["t-SNE", "PCA"]
    clusters: int
    purity: float | None


def embedding_map(trial: Trial) -> EmbeddingMap:
    """Map the queries and, up to a number that can be looked at, references; the same for the same seed."""
    generator = np.random.default_rng(trial.seed)
    asking = _some(len(trial.queries.samples), MAPPED, generator)
    alone = trial.references is trial.queries
    room = 0 if alone else MAPPED - len(asking)
    answering = _some(len(trial.references.samples), room, generator)
    embeddings = np.concatenate([trial.queries.embeddings[asking], trial.references.embeddings[answering]])
    labels = np.concatenate([trial.queries.labels[asking], trial.references.labels[answering]])
    neighbours = len(labels) >= LEAST_FOR_NEIGHBOURS
    clusters = len(np.unique(labels))
    return EmbeddingMap(
        points=_neighbourhoods(embeddings, trial.seed) if neighbours else _main_directions(embeddings),
        labels=labels,
        queries=len(asking),
        method="t-SNE" if neighbours else "PCA",
        clusters=clusters,
        purity=_purity(embeddings, labels, clusters, trial.seed) if len(labels) > clusters else None,
    )


def _some(count: int, room: int, generator: np.random.Generator) -> NDArray[np.int64]:
    return np.sort(generator.choice(count, min(count, room), replace=False))


def _neighbourhoods(embeddings: NDArray[np.float32], seed: int) -> NDArray[np.float64]:
    """t-SNE (van der Maaten & Hinton 2008), from the main directions on: far clusters stay far."""
    from sklearn.manifold import TSNE

    perplexity = min(PERPLEXITY, (len(embeddings) - 1) / 3)
    mapped = TSNE(init="pca", perplexity=perplexity, random_state=seed).fit_transform(embeddings)
    return np.asarray(mapped, np.float64)


def _main_directions(embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
    """The two main directions; 0 where there is but one."""
    centred = embeddings.astype(np.float64) - embeddings.mean(axis=0, dtype=np.float64)
    left, lengths, _ = np.linalg.svd(centred, full_matrices=False)
    points = np.zeros((len(embeddings), 2))
    kept = min(2, len(lengths))
    points[:, :kept] = left[:, :kept] * lengths[:kept]
    return points


def _purity(embeddings: NDArray[np.float32], labels: NDArray[np.str_], clusters: int, seed: int) -> float:
    from sklearn.cluster import KMeans
    from sklearn.metrics.cluster import contingency_matrix

    found = KMeans(clusters, n_init=4, random_state=seed).fit_predict(embeddings)
    return float(contingency_matrix(labels, found).max(axis=0).sum() / len(labels))
