"""Measures of faithfulness, verdicts and ranks: plain arithmetic with intervals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explain.faithfulness import LEAST_DROP, NOTHING_DROPS, mean_measure, measure_maps, normalised
from explain.flips import Decided, measure_flips, measure_rank_drop, rank_of
from explain.named_maps import RANDOM, RELEVANCE
from explain.perturbing import Perturbed, area
from explain.sanity import rank_correlation
from siamese.intervals import Bootstrap
from siamese.measured import Measure

ZERO = np.zeros(2, np.float32)


def perturbed(deletion: list[float], insertion: list[float]) -> Perturbed:
    road = np.array([0.5]), np.array([0.7])
    return Perturbed(np.array(deletion), np.array(insertion), *road, ZERO, ZERO)


def turned(degrees: float) -> np.ndarray:
    return np.array([np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))], np.float32)


def test_the_area_is_that_of_trapezia() -> None:
    assert area(np.array([1.0, 0.0])) == 0.5
    assert area(np.array([1.0, 1.0, 0.0])) == 0.75


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20), st.floats(LEAST_DROP + 0.01, 1), st.floats(-1, 1))
def test_a_normalised_curve_knows_neither_level_nor_scale(
    shape: list[float], drop: float, blank: float
) -> None:
    curve = np.array(shape) * drop + blank
    assert normalised(curve, whole=blank + drop, blank=blank) == pytest.approx(np.array(shape), abs=1e-6)


def test_a_pair_that_blurring_hardly_changes_is_not_normalised() -> None:
    pairs = [{RELEVANCE: perturbed([1, 0.95, 0.95], [0.95, 1, 1])}] * 3
    measured = measure_maps(pairs, pairs, Bootstrap.of(3, seed=0))[0].query
    assert measured.value.deletion_normalised.value is None
    assert measured.value.deletion_normalised.reason == NOTHING_DROPS
    assert measured.value.deletion.value == pytest.approx(0.9625)


def test_a_lead_is_positive_where_the_relevance_map_is_better() -> None:
    good, bad = perturbed([1, 0.2, 0], [0, 0.9, 1]), perturbed([1, 0.8, 0], [0, 0.4, 1])
    pairs = [{RELEVANCE: good, RANDOM: bad}] * 5
    best, other = measure_maps(pairs, pairs, Bootstrap.of(5, seed=0))
    assert best.query.lead.deletion.value == best.matched.lead.insertion.value == 0
    assert other.query.lead.deletion.value == pytest.approx(0.3)
    assert other.query.lead.insertion.value == pytest.approx(0.25)
    assert other.query.lead.deletion.interval == pytest.approx((0.3, 0.3))
    assert other.matched.curves.deletion == (1, 0.8, 0)


def test_no_pairs_give_no_map_and_a_reason() -> None:
    assert measure_maps([], [], Bootstrap.of(1, seed=0)) == ()
    assert mean_measure(np.array([np.nan]), Bootstrap.of(1, seed=0), reason="none").reason == "none"


def flips(verdict: str, threshold: float | None) -> object:
    hidden = {RELEVANCE: turned(80), RANDOM: turned(10)}
    same = Decided(partner=turned(0), whole=turned(5), hidden=hidden)
    apart = Decided(turned(0), turned(80), {RELEVANCE: turned(5), RANDOM: turned(70)})
    return measure_flips(
        [same, same, apart], verdict=verdict, side="query", fill="blur", threshold=threshold, seed=0
    )


def test_a_verdict_flips_where_the_distance_crosses_the_threshold() -> None:
    same, different = flips("same", 0.5), flips("different", 0.5)
    assert (same.pairs, different.pairs) == (2, 1)
    assert [each.rate.value for each in same.maps] == [1, 0] == [each.rate.value for each in different.maps]
    assert same.maps[1].lead.value == 1
    assert same.times.value is None and "chance" in same.times.reason


def often(hot: int, chance: int, *, of: int = 60) -> Measure:
    """How many times as many of so many verdicts flip by the map as by chance."""
    turns, stays = turned(80), turned(10)
    pairs = [
        Decided(turned(0), turned(5), {RELEVANCE: turns if at < hot else stays,
                                       RANDOM: turns if at < chance else stays})
        for at in range(of)
    ]  # fmt: skip
    return measure_flips(pairs, verdict="same", side="query", fill="blur", threshold=0.5, seed=0).times


def test_times_by_chance_have_bounds_only_where_chance_flips_enough_of_them() -> None:
    many, few = often(40, 10), often(40, 1)
    assert many.value == 4 and many.interval is not None
    assert many.interval[0] < 4 < many.interval[1] < 40
    assert few.value == 40 and few.interval is None and few.reason is not None and "too few" in few.reason


def test_without_a_threshold_there_are_no_verdicts_to_flip() -> None:
    nothing = flips("same", None)
    assert nothing.pairs == 0 and all(each.rate.value is None for each in nothing.maps)
    assert "no verdicts" in nothing.maps[0].rate.reason


def test_ranks_count_what_is_nearer() -> None:
    others = np.stack([turned(20), turned(40), turned(60)])
    assert rank_of(turned(0), turned(10), others) == 1
    assert rank_of(turned(0), turned(50), others) == 3
    assert rank_of(turned(0), turned(40), others) == 2, "a tie is in the match's favour"
    drop = measure_rank_drop(
        RELEVANCE, "matched", np.array([1, 1, 2]), np.array([1, 5, 9]), Bootstrap.of(3, seed=0)
    )
    assert (drop.median_before, drop.median, drop.mean.value) == (1, 5, 5)
    assert drop.first.value == pytest.approx(1 / 3)


def test_a_map_agrees_with_itself_and_a_constant_one_with_nothing() -> None:
    grid = np.arange(6.0).reshape(2, 3)
    assert rank_correlation(grid, 3 * grid + 1) == pytest.approx(1)
    assert rank_correlation(grid, -grid) == pytest.approx(-1)
    assert np.isnan(rank_correlation(grid, np.ones((2, 3))))
