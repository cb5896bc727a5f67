from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from siamese.calibration import Calibration, fit_calibration


def drawn(seed: int, *, same: float, different: float, pairs: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Distances around two centres, and whether the pairs are same."""
    generator = np.random.default_rng(seed)
    kinds = generator.random(pairs) < 0.5
    return np.abs(generator.normal(np.where(kinds, same, different), 0.1)), kinds


def test_the_probability_is_near_the_share_of_same_pairs_at_that_distance() -> None:
    generator = np.random.default_rng(0)
    distances = generator.uniform(0, 2, 20_000)
    same = generator.random(20_000) < 1 / (1 + np.exp(-(5 - 5 * distances)))
    calibration = fit_calibration(distances, same)
    assert calibration.intercept == pytest.approx(5, rel=0.05)
    assert calibration.slope == pytest.approx(5, rel=0.05)
    assert calibration.threshold == pytest.approx(1, abs=0.05)
    assert calibration.fitted_on == "pair" and calibration.pairs == 20_000 and calibration.reason is None


@given(seed=st.integers(0, 10_000), gap=st.floats(0.05, 1.5))
@settings(max_examples=40, deadline=None)
def test_the_probability_falls_with_the_distance_and_stays_between_nought_and_one(
    seed: int, gap: float
) -> None:
    calibration = fit_calibration(*drawn(seed, same=0.4, different=0.4 + gap))
    chances = [calibration.probability(distance) for distance in np.linspace(0, 2, 30)]
    if calibration.slope is None:
        assert chances == [None] * 30 and calibration.reason
    else:
        assert all(0 <= chance <= 1 for chance in chances) and chances == sorted(chances, reverse=True)


@given(seed=st.integers(0, 10_000), gap=st.floats(0.2, 0.8))
@settings(max_examples=30, deadline=None)
def test_no_other_threshold_has_a_better_balanced_accuracy(seed: int, gap: float) -> None:
    distances, same = drawn(seed, same=0.4, different=0.4 + gap, pairs=120)
    calibration = fit_calibration(distances, same)
    if calibration.threshold is None:
        return
    verdicts = np.array([calibration.verdict(distance) == "same" for distance in distances])
    accuracy = (verdicts[same].mean() + (~verdicts[~same]).mean()) / 2
    assert accuracy == pytest.approx(calibration.balanced_accuracy)
    others = [
        ((distances <= other)[same].mean() + (distances > other)[~same].mean()) / 2 for other in distances
    ]
    assert accuracy >= max(others) - 1e-12


def test_separable_pairs_give_a_finite_slope_and_the_middle_of_the_gap() -> None:
    distances = np.concatenate([np.linspace(0.1, 0.4, 50), np.linspace(0.8, 1.2, 50)])
    calibration = fit_calibration(distances, np.arange(100) < 50)
    assert calibration.threshold == pytest.approx(0.6) and calibration.balanced_accuracy == 1
    assert calibration.slope is not None and calibration.slope < 100
    assert calibration.verdict(0.6) == "same" and calibration.verdict(0.61) == "different"
    near, far = calibration.probability(0.2), calibration.probability(1.1)
    assert near is not None and far is not None and near > 0.9 and far < 0.1


@pytest.mark.parametrize("same", [[True] * 50, [False] * 50, [], [True] * 9 + [False] * 50])
def test_pairs_of_one_kind_or_too_few_fit_nothing_and_the_reason_counts_them(same: list[bool]) -> None:
    calibration = fit_calibration(np.linspace(0, 1, len(same)), np.array(same, bool))
    assert calibration.probability(0.5) is None and calibration.verdict(0.5) is None
    assert calibration.reason is not None and f"{sum(same)} same" in calibration.reason


def test_distances_that_say_the_opposite_fit_nothing() -> None:
    distances, same = drawn(1, same=1.0, different=0.3)
    calibration = fit_calibration(distances, same)
    assert calibration.verdict(0.1) is None and "no smaller" in str(calibration.reason)


@pytest.mark.parametrize("same", [10, 11, 20, 25, 30])
@pytest.mark.parametrize("distance", [0.0, 0.3, 0.5, 1.7])
def test_equal_distances_fit_nothing_however_many_of_a_kind_there_are(same: int, distance: float) -> None:
    calibration = fit_calibration(np.full(40, distance), np.arange(40) < same)
    assert calibration.threshold is None and calibration.reason


@given(seed=st.integers(0, 10_000), share=st.floats(0.1, 0.9), steps=st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_what_is_fitted_is_better_than_chance(seed: int, share: float, steps: int) -> None:
    generator = np.random.default_rng(seed)
    distances, same = generator.integers(steps, size=100) / 4, generator.random(100) < share
    calibration = fit_calibration(distances, same)
    assert calibration.threshold is None or 0.5 < (calibration.balanced_accuracy or 0) <= 1


def test_distances_of_float32_are_taken_too() -> None:
    distances, same = drawn(1, same=0.3, different=1.0)
    assert fit_calibration(distances.astype(np.float32), same).slope is not None


def test_pairs_without_a_finite_distance_each_are_refused() -> None:
    for distances in (np.zeros(3), np.full(40, np.nan), np.zeros((40, 1))):
        with pytest.raises(ValueError, match="one finite distance per pair"):
            fit_calibration(distances, np.ones(40, bool))


def test_half_a_calibration_is_refused() -> None:
    whole = {"fitted_on": "pair", "intercept": 1, "slope": 2, "threshold": 0.5, "balanced_accuracy": 0.9}
    assert Calibration.model_validate(whole).probability(0.5) == 0.5
    for wrong in ({"slope": None}, {"reason": "x"}, {"fitted_on": None}, {"threshold": float("nan")}):
        with pytest.raises(ValidationError, match="a calibration has"):
            Calibration.model_validate({**whole, **wrong})
    with pytest.raises(ValidationError):
        Calibration()


def test_a_calibration_reads_back_from_json_as_it_was() -> None:
    calibration = fit_calibration(*drawn(1, same=0.3, different=1.0))
    assert Calibration.model_validate_json(calibration.model_dump_json()) == calibration


@pytest.mark.parametrize("module", ["images", "preprocessing", "calibration", "errors"])
def test_decoding_workers_and_readers_of_calibrations_load_no_torch(module: str) -> None:
    program = f"import sys, siamese.{module}; sys.exit('torch' in sys.modules or 'sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_on_shown_pairs_the_verdict_never_contradicts_the_probability() -> None:
    generator = np.random.default_rng(0)
    distances = generator.uniform(0, 1, 4000)
    same = generator.random(4000) < 1 / (1 + np.exp(-(6 - 9 * distances)))
    calibration = fit_calibration(distances, same, fitted_on="shown")
    assert calibration.fitted_on == "shown" and calibration.threshold == pytest.approx(6 / 9, abs=0.05)
    for distance in np.linspace(0, 2, 50):
        assert (calibration.verdict(distance) == "same") == ((calibration.probability(distance) or 0) >= 0.5)


def test_where_nearly_all_that_is_shown_is_same_the_verdict_is_always_same() -> None:
    distances = np.linspace(0, 0.5, 2000)
    calibration = fit_calibration(distances, np.arange(2000) % 100 != 99, fitted_on="shown")
    assert calibration.threshold is None or calibration.threshold <= 2


def test_where_even_the_nearest_shown_pairs_are_different_nothing_is_told() -> None:
    distances = np.linspace(0, 1, 1000)
    same = np.random.default_rng(0).random(1000) < 0.2 - 0.15 * distances
    calibration = fit_calibration(distances, same, fitted_on="shown")
    assert calibration.verdict(0.0) is None and "however near" in str(calibration.reason)


def test_many_probabilities_at_once_are_those_one_by_one() -> None:
    calibration = fit_calibration(*drawn(1, same=0.4, different=1.0))
    distances = np.linspace(0, 2, 9)
    chances = calibration.probabilities(distances)
    assert chances is not None
    assert chances == pytest.approx([calibration.probability(distance) for distance in distances])
    assert Calibration.unfitted("a test").probabilities(distances) is None
