from __future__ import annotations

import numpy as np
import pytest

from siamese import embedding_map as module
from siamese.embedding_map import embedding_map
from tests.siamese.test_evaluation import against_others


def test_the_map_has_queries_first_and_is_the_same_for_the_same_seed() -> None:
    trial = against_others(0.05, count=20)
    first, again = embedding_map(trial), embedding_map(trial)
    assert (first.points == again.points).all() and first.method == "t-SNE"
    assert first.points.shape == (120, 2) and first.queries == 60
    assert first.labels[:60].tolist() == trial.queries.labels.tolist()


def test_labels_far_apart_are_clusters_of_their_own() -> None:
    mapped = embedding_map(against_others(0.05, count=20))
    assert (mapped.clusters, mapped.purity) == (3, 1.0)
    centres = [mapped.points[mapped.labels == label].mean(axis=0) for label in "abc"]
    spread = max(mapped.points[mapped.labels == label].std() for label in "abc")
    assert np.linalg.norm(centres[0] - centres[1]) > spread


def test_few_images_are_projected_and_many_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    assert embedding_map(against_others(0.05, count=3)).method == "PCA"
    monkeypatch.setattr(module, "MAPPED", 50)
    sampled = embedding_map(against_others(0.05, count=20))
    assert len(sampled.points) == 50 and sampled.queries == 50
