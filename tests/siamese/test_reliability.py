from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, log_loss

from siamese.reliability import BINS, Reliability


def drawn(seed: int, pairs: int = 200) -> Reliability:
    generator = np.random.default_rng(seed)
    return Reliability(generator.random(pairs), generator.random(pairs) < 0.5)


def test_the_calibration_error_is_that_found_by_hand() -> None:
    # Two at 0.9, of which one is same, and two at 0.1, neither: gaps of 0.4 and 0.1, half the pairs each.
    reliability = Reliability(np.array([0.9, 0.9, 0.1, 0.1]), np.array([True, False, False, False]))
    assert reliability.expected_error() == pytest.approx(0.5 * 0.4 + 0.5 * 0.1)
    # Within a bin surplus and lack balance: 0.94 and 0.98 are both in the last bin of 15.
    together = Reliability(np.array([0.94, 0.98]), np.array([True, True]))
    assert together.expected_error() == pytest.approx((0.06 + 0.02) / 2)


def test_probabilities_of_nought_and_one_fall_into_the_outer_bins() -> None:
    reliability = Reliability(np.array([0.0, 1.0]), np.array([False, True]))
    assert reliability.bins.tolist() == [0, BINS - 1] and reliability.expected_error() == 0


def test_the_floor_is_that_found_by_hand() -> None:
    # One pair at 0.5: whatever it is, the gap is 0.5. Two in one bin: 1/2, 0, 0, 1/2 with equal chance.
    assert Reliability(np.array([0.5]), np.array([True])).floor(seed=0) == pytest.approx(0.5)
    assert Reliability(np.array([0.5, 0.5]), np.array([True, True])).floor(seed=0) == pytest.approx(
        0.25, abs=0.06
    )
    assert Reliability(np.array([0.0, 1.0]), np.array([False, True])).floor(seed=0) == 0


def test_the_floor_is_the_error_of_a_perfectly_calibrated_score_of_that_size() -> None:
    generator = np.random.default_rng(0)
    probabilities = generator.random(2000)
    errors = [
        Reliability(probabilities, generator.random(2000) < probabilities).expected_error()
        for _ in range(100)
    ]
    floor = Reliability(probabilities, np.ones(2000, np.bool_)).floor(seed=1)
    assert floor == pytest.approx(float(np.mean(errors)), rel=0.06)
    assert floor == Reliability(probabilities, np.zeros(2000, np.bool_)).floor(seed=1)


@given(seed=st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_brier_and_nll_are_those_of_scikit_learn(seed: int) -> None:
    reliability = drawn(seed)
    told = reliability.same, reliability.probabilities
    assert reliability.squared_errors().mean() == pytest.approx(brier_score_loss(*told))
    assert reliability.surprises().mean() == pytest.approx(log_loss(*told, labels=[False, True]))


def test_a_certainty_that_is_wrong_costs_much_and_not_infinitely_much() -> None:
    assert np.isfinite(Reliability(np.array([0.0]), np.array([True])).surprises()).all()


@given(seed=st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_weighted_errors_are_those_of_repeated_pairs(seed: int) -> None:
    reliability = drawn(seed, 40)
    weights = np.random.default_rng(seed).integers(0, 3, (2, 40))
    told = reliability.expected_errors(weights.astype(np.float32))
    for row, counts in enumerate(weights):
        again = np.repeat(np.arange(40), counts)
        repeated = Reliability(reliability.probabilities[again], reliability.same[again])
        assert told[row] == pytest.approx(repeated.expected_error(), abs=1e-6)
