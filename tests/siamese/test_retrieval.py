from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from siamese import retrieval
from siamese.retrieval import Ranked, Verification, auc_interval, distances, mean_interval, rank


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


def test_an_image_never_finds_itself_or_its_duplicate() -> None:
    ranked = against_all(on_circle(0, 0, 90, 100), labels="aaba", checksums="1123")
    assert ranked.relevant.tolist() == [1, 1, 0, 2]
    assert ranked.first_found.tolist() == [2, 2, 0, 2]


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
    assert (lengths == distances(embeddings, embeddings[::-1])).all()


def test_equal_embeddings_are_at_distance_zero() -> None:
    embeddings = on_circle(1, 17, 123)
    assert distances(embeddings, embeddings.copy()).tolist() == [0.0, 0.0, 0.0]


@given(
    st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.3, 0.4, 0.5]), st.booleans()), min_size=2, max_size=40)
)
@settings(deadline=None)
def test_the_auc_is_that_of_scikit_learn_ties_included(pairs: list[tuple[float, bool]]) -> None:
    lengths = np.array([length for length, _ in pairs])
    same = np.array([kind for _, kind in pairs])
    auc = Verification.of(lengths, same).auc()
    if same.all() or not same.any():
        assert auc is None
    else:
        assert auc == pytest.approx(roc_auc_score(same, -lengths))


def test_a_weighted_auc_is_that_of_repeated_pairs() -> None:
    generator = np.random.default_rng(1)
    lengths, same = generator.random(30).round(1), generator.random(30) < 0.5
    weights = generator.integers(0, 4, 30)
    repeated = np.repeat(np.arange(30), weights)
    weighted = Verification.of(lengths, same).auc(weights.astype(np.float64))
    assert weighted == pytest.approx(Verification.of(lengths[repeated], same[repeated]).auc())


def test_an_interval_holds_the_mean_and_narrows_with_more_images() -> None:
    values = np.random.default_rng(2).random(2000)
    wide, narrow = mean_interval(values[:20], seed=0), mean_interval(values, seed=0)
    assert wide is not None
    assert narrow is not None
    assert narrow[0] < values.mean() < narrow[1]
    assert narrow[1] - narrow[0] < (wide[1] - wide[0]) / 5


def test_fewer_than_two_images_have_no_interval() -> None:
    nothing = Verification.of(np.empty(0), np.empty(0, np.bool_))
    assert mean_interval(np.ones(1), seed=0) is None
    assert auc_interval(nothing, np.empty(0, np.int64), seed=0) is None


def test_the_interval_of_the_auc_resamples_images_and_not_pairs() -> None:
    # Two images with ten pairs each: one perfectly judged, one perfectly wrong. Pairs alone would seem sure.
    lengths = np.tile(np.repeat([0.1, 0.9], 5), 2)
    same = np.concatenate([np.repeat([True, False], 5), np.repeat([False, True], 5)])
    interval = auc_interval(Verification.of(lengths, same), np.repeat([0, 1], 10), seed=0)
    assert interval == (0.0, 1.0)
