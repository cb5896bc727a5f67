from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from siamese.verification import ErrorRates, Verification

PAIRS = st.lists(
    st.tuples(st.sampled_from([0.1, 0.2, 0.3, 0.4, 0.5]), st.booleans()), min_size=2, max_size=40
)


def rates_of(same: list[float], different: list[float]) -> ErrorRates:
    """The error rates of same and different pairs at these distances."""
    kinds = np.arange(len(same) + len(different)) < len(same)
    return Verification.of(np.array([*same, *different]), kinds).rates()


def separated(pairs: list[tuple[float, bool]]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    return np.array([length for length, _ in pairs]), np.array([kind for _, kind in pairs])


def test_the_error_rates_are_those_counted_by_hand() -> None:
    # Up to 0.2 half of the same pairs and none of the different ones, up to 0.3 a quarter of these …
    rates = rates_of([0.1, 0.2, 0.4, 0.9], [0.3, 0.5, 0.6, 0.7])
    assert rates.false_matches[0].tolist() == [0, 0, 0, 0.25, 0.25, 0.5, 0.75, 1, 1]
    assert rates.false_non_matches[0].tolist() == [1, 0.75, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0]


def test_the_equal_error_rate_is_that_found_by_hand() -> None:
    assert rates_of([0.1, 0.2, 0.4, 0.9], [0.3, 0.5, 0.6, 0.7]).equal_error() == pytest.approx([0.25])
    assert rates_of([0.1], [0.2]).equal_error() == pytest.approx([0])
    assert rates_of([0.2], [0.1]).equal_error() == pytest.approx([1])
    # All at one distance: all accepted or none, and half-way between the two, half of each.
    assert rates_of([0.3, 0.3], [0.3]).equal_error() == pytest.approx([0.5])
    # From (FMR 0, FNMR 1/2) to (1/2, 1/2): equal where the second is reached.
    assert rates_of([0.1, 0.9], [0.5, 0.95]).equal_error() == pytest.approx([0.5])


def test_missed_pairs_at_a_strict_false_match_rate_are_those_counted_by_hand() -> None:
    different = np.linspace(0.5, 1, 100).tolist()
    same = [0.1, 0.2, 0.502, 0.6]  # the first different pair, at 0.5, is the one in a hundred that may pass
    rates = rates_of(same, different)
    assert rates.false_non_matches_at(0.01) == pytest.approx([1 / 4])
    assert rates.false_non_matches_at(0.001) == pytest.approx([1 / 2])
    assert rates.false_non_matches_at(1.0) == pytest.approx([0])


@given(PAIRS)
@settings(deadline=None)
def test_the_auc_is_that_of_scikit_learn_ties_included(pairs: list[tuple[float, bool]]) -> None:
    lengths, same = separated(pairs)
    auc = Verification.of(lengths, same).auc()
    if same.all() or not same.any():
        assert auc is None
    else:
        assert auc == pytest.approx(roc_auc_score(same, -lengths))


@given(PAIRS)
@settings(deadline=None)
def test_no_monotone_map_of_the_distances_changes_what_is_told_of_them(
    pairs: list[tuple[float, bool]],
) -> None:
    lengths, same = separated(pairs)
    before = Verification.of(lengths, same).rates()
    for mapped in (lengths**3, np.exp(lengths) - 7, -1 / lengths):
        after = Verification.of(mapped, same).rates()
        for statistic in (ErrorRates.auc, ErrorRates.equal_error):
            assert statistic(after) == pytest.approx(statistic(before), nan_ok=True)


@given(PAIRS)
@settings(deadline=None)
def test_turned_round_distances_turn_the_auc_round(pairs: list[tuple[float, bool]]) -> None:
    lengths, same = separated(pairs)
    auc, turned = Verification.of(lengths, same).auc(), Verification.of(-lengths, same).auc()
    assert (auc is None and turned is None) or auc == pytest.approx(1 - (turned or 0))


def test_weighted_rates_are_those_of_repeated_pairs() -> None:
    generator = np.random.default_rng(1)
    lengths, same = generator.random(30).round(1), generator.random(30) < 0.5
    weights = generator.integers(0, 4, (3, 30))
    weighted = Verification.of(lengths, same).rates(weights.astype(np.float32))
    for row, counts in enumerate(weights):
        again = np.repeat(np.arange(30), counts)
        repeated = Verification.of(lengths[again], same[again]).rates()
        assert weighted.auc()[row] == pytest.approx(repeated.auc()[0])
        assert weighted.equal_error()[row] == pytest.approx(repeated.equal_error()[0])
        assert weighted.false_non_matches_at(0.2)[row] == pytest.approx(repeated.false_non_matches_at(0.2)[0])


def test_a_resample_without_pairs_of_one_kind_says_nothing() -> None:
    rates = Verification.of(np.array([0.1, 0.9]), np.array([True, False])).rates(np.eye(2, dtype=np.float32))
    for told in (rates.auc(), rates.equal_error(), rates.false_non_matches_at(0.01)):
        assert np.isnan(told).tolist() == [True, True]


def test_a_metric_over_the_whole_is_not_the_mean_over_batches() -> None:
    # Batches of two same and two different pairs, each at a scale of its own: within every batch all same
    # pairs are nearer, over the whole they are not.
    lengths = np.concatenate([[0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7, 0.8]])
    same = np.tile([True, True, False, False], 2)
    batches = [Verification.of(lengths[i : i + 4], same[i : i + 4]).auc() for i in (0, 4)]
    assert batches == [1.0, 1.0]
    assert Verification.of(lengths, same).auc() == pytest.approx(roc_auc_score(same, -lengths)) == 0.75
