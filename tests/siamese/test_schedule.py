from __future__ import annotations

import pytest

from siamese.schedule import cosine_factor, epochs_since_best, plateau_factor, warmup_factor


def test_the_rate_rises_from_above_zero_to_its_peak_during_the_warm_up() -> None:
    factors = [warmup_factor(progress, warmup=1.0) for progress in (0, 0.25, 0.5, 1.0, 7.0)]
    assert factors == sorted(factors)
    assert factors[0] > 0
    assert factors[-2:] == [1.0, 1.0]
    assert warmup_factor(0, warmup=0) == 1.0


def test_the_cosine_falls_from_one_over_a_half_to_zero() -> None:
    assert [cosine_factor(progress, epochs=10) for progress in (0, 5, 10)] == pytest.approx([1, 0.5, 0])


def test_the_rate_halves_each_time_that_patience_is_used_up() -> None:
    scores = [0.5, 0.6, 0.6, 0.59, 0.6, 0.6]
    assert plateau_factor(scores[:3], patience=2) == 1.0
    assert plateau_factor(scores[:4], patience=2) == 0.5
    assert plateau_factor(scores, patience=2) == 0.25
    assert plateau_factor([], patience=2) == 1.0


def test_a_rising_score_is_a_gain_and_not_a_loss() -> None:
    assert epochs_since_best([0.1, 0.2, 0.3]) == 0
    assert epochs_since_best([0.3, 0.2, 0.1]) == 2
    assert epochs_since_best([0.5, 0.50001]) == 1
    assert epochs_since_best([]) == 0
