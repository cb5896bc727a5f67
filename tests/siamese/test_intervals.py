from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siamese import intervals
from siamese.intervals import Bootstrap, mean_interval


def test_an_interval_holds_the_mean_and_narrows_with_more_images() -> None:
    values = np.random.default_rng(2).random(2000)
    wide, narrow = mean_interval(values[:20], seed=0), mean_interval(values, seed=0)
    assert wide is not None
    assert narrow is not None
    assert narrow[0] < values.mean() < narrow[1]
    assert narrow[1] - narrow[0] < (wide[1] - wide[0]) / 5


def test_nineteen_of_twenty_intervals_hold_what_the_images_were_drawn_from() -> None:
    generator = np.random.default_rng(5)
    held = 0
    for _ in range(300):
        low, high = mean_interval(generator.random(60), seed=0) or (1.0, 0.0)
        held += low <= 0.5 <= high
    assert held / 300 == pytest.approx(0.95, abs=0.035)


def test_each_resample_has_as_many_images_as_there_are() -> None:
    counts = Bootstrap.of(7, seed=3).counts
    assert (counts.sum(axis=1) == 7).all() and counts.shape == (intervals.RESAMPLES, 7)
    assert (counts == Bootstrap.of(7, seed=3).counts).all()


def test_fewer_than_two_images_have_no_interval() -> None:
    assert mean_interval(np.ones(1), seed=0) is None
    assert Bootstrap.of(1, seed=0).interval(1.0, np.ones(5)) is None
    assert Bootstrap.of(5, seed=0).interval(1.0, np.full(5, np.nan)) is None


@given(value=st.floats(-5, 5), told=st.lists(st.floats(-1, 1) | st.just(np.nan), min_size=1, max_size=30))
@settings(deadline=None)
def test_an_interval_holds_what_it_is_told_of(value: float, told: list[float]) -> None:
    found = Bootstrap.of(9, seed=0).interval(value, np.array(told))
    assert found is None if np.isnan(told).all() else found is not None and found[0] <= value <= found[1]


def test_pairs_are_weighted_by_the_images_that_are_resampled() -> None:
    bootstrap = Bootstrap.of(4, seed=0)
    queries, references = np.array([0, 0, 3]), np.array([1, 2, 0])
    ones = np.concatenate(list(bootstrap.of_pairs(queries)))
    both = np.concatenate(list(bootstrap.of_pairs(queries, references)))
    assert (ones == bootstrap.counts[:, queries]).all()
    assert (both == bootstrap.counts[:, queries] * bootstrap.counts[:, references]).all()


def test_very_many_pairs_get_fewer_resamples_in_small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intervals, "AFFORDED", 3000)
    monkeypatch.setattr(intervals, "HELD", 100)
    pieces = list(Bootstrap.of(5, seed=0).of_pairs(np.zeros(10, np.int64)))
    assert {len(piece) for piece in pieces} == {10} and len(pieces) == 30
    assert (
        sum(map(len, Bootstrap.of(5, seed=0).of_pairs(np.zeros(500, np.int64)))) == intervals.FEWEST_RESAMPLES
    )
