"""Clusters: as many as there are, the same every time, each with the image in its middle."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import adjusted_mutual_info_score

from gallery.clustering import clusters, supported
from gallery.errors import NothingToCluster


def clouds(count: int, size: int, *, spread: float = 0.15) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Unit embeddings around `count` directions, and which one each belongs to."""
    generator = np.random.default_rng(7)
    centres = generator.standard_normal((count, 16))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    kinds = np.arange(count * size) % count
    cloud = centres[kinds] + spread * generator.standard_normal((len(kinds), 16))
    return (cloud / np.linalg.norm(cloud, axis=1, keepdims=True)).astype(np.float32), kinds


@pytest.mark.parametrize("count", [2, 7, 18])
def test_clouds_are_found_without_being_told_how_many(count: int) -> None:
    embeddings, kinds = clouds(count, 40)
    found = clusters(embeddings)
    assert found.chosen and count * 0.65 <= len(found.exemplars) <= count * 1.6
    assert adjusted_mutual_info_score(kinds, found.members) > 0.85


def test_told_how_many_they_are_found_exactly() -> None:
    embeddings, kinds = clouds(6, 30)
    found = clusters(embeddings, count=6)
    assert not found.chosen and adjusted_mutual_info_score(kinds, found.members) == pytest.approx(1)


def test_one_cloud_is_one_cluster() -> None:
    assert supported(clouds(1, 200)[0]) == 1


def test_the_exemplar_is_at_distance_zero_and_the_largest_cluster_comes_first() -> None:
    embeddings, _ = clouds(5, 20)
    found = clusters(np.concatenate([embeddings, embeddings[::5]]), count=5)
    assert (found.distances[found.exemplars] == 0).all()
    assert (found.members[found.exemplars] == np.arange(5)).all()
    assert (np.diff(np.bincount(found.members)) <= 0).all()


def test_the_same_seed_gives_the_same_clusters() -> None:
    embeddings, _ = clouds(4, 50, spread=0.5)
    first, second = (clusters(embeddings, seed=3) for _ in range(2))
    assert (first.members == second.members).all() and (first.exemplars == second.exemplars).all()


def test_fewer_images_than_clusters_are_refused() -> None:
    embeddings, _ = clouds(1, 3)
    with pytest.raises(NothingToCluster, match="3 different images cannot be parted into 4"):
        clusters(embeddings, count=4)
    with pytest.raises(NothingToCluster, match="1 different images"):
        clusters(embeddings[:1])
    assert len(clusters(embeddings, count=3).exemplars) == 3
    assert len(clusters(np.repeat(embeddings[:1], 4, axis=0)).exemplars) == 1
