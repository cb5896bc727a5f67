from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from siamese import retrieval
from siamese.retrieval import Ranked, distances, rank


def on_circle(*degrees: float) -> NDArray[np.float32]:
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def against_all(embeddings: NDArray[np.float32], labels: str, checksums: str) -> Ranked:
    names, contents = np.array(list(labels)), np.array(list(checksums))
    return rank(embeddings, embeddings, (names, names), (contents, contents))


def test_recall_and_precision_are_those_counted_by_hand() -> None:
    # From 0°: 10 (a), 20 (b), 30 (a), 180 (b): the first found at rank 1, two to find, found at 1 and 3.
    queries, references = on_circle(0), on_circle(10, 20, 30, 180)
    labels = np.array(["a"]), np.array(["a", "b", "a", "b"])
    ranked = rank(queries, references, labels, (np.array(["q"]), np.array(list("1234"))))
    assert ranked.relevant.tolist() == [2]
    assert ranked.recall_at(1).tolist() == [1.0]
    assert ranked.map_at_r().tolist() == [pytest.approx(1 / 2)]
    assert [ranked.precision(k).tolist() for k in (1, 2, 3)] == [[1.0], [0.5], [pytest.approx(2 / 3)]]
    assert ranked.precision(10).tolist() == [0.5], "of the four that there are"
    assert ranked.nearest.tolist() == [0]


def test_an_image_never_finds_itself_or_its_duplicate() -> None:
    ranked = against_all(on_circle(0, 0, 90, 100), labels="aaba", checksums="1123")
    assert ranked.relevant.tolist() == [1, 1, 0, 2]
    assert ranked.first_found.tolist() == [2, 2, 0, 2]
    assert ranked.others.tolist() == [2, 2, 3, 3]
    assert ranked.nearest.tolist() == [2, 2, 3, 2]
    alone = against_all(on_circle(0, 0), labels="aa", checksums="11")
    assert alone.nearest.tolist() == [-1, -1] and alone.precision(1).tolist() == [0.0, 0.0]


def test_a_query_with_nothing_to_find_is_not_counted() -> None:
    ranked = against_all(on_circle(0, 10, 90), labels="aab", checksums="123")
    assert ranked.recall_at(1).tolist() == [1.0, 1.0]
    assert len(ranked.map_at_r()) == 2


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(0)
    embeddings = generator.normal(size=(50, 4)).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    labels, checksums = generator.integers(3, size=50).astype(str), np.arange(50).astype(str)
    whole = rank(embeddings, embeddings, (labels, labels), (checksums, checksums))
    lengths = distances(embeddings, embeddings[::-1])
    monkeypatch.setattr(retrieval, "BLOCK", 7)
    parts = rank(embeddings, embeddings, (labels, labels), (checksums, checksums))
    assert (whole.first_found == parts.first_found).all()
    assert (whole.average_precision_at_r == parts.average_precision_at_r).all()
    assert (whole.found == parts.found).all() and (whole.nearest == parts.nearest).all()
    assert (lengths == distances(embeddings, embeddings[::-1])).all()


def test_equal_embeddings_are_at_distance_zero() -> None:
    embeddings = on_circle(1, 17, 123)
    assert distances(embeddings, embeddings.copy()).tolist() == [0.0, 0.0, 0.0]
