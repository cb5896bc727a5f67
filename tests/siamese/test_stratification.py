from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from siamese.stratification import LEAST_TRAINED, draw_parts

UNITS = st.lists(
    st.dictionaries(st.sampled_from("abcd"), st.integers(1, 6), min_size=1, max_size=3), max_size=30
)
SHARES = st.tuples(st.sampled_from([0.0, 0.1, 0.3]), st.sampled_from([0.0, 0.1, 0.3]))


def contents(units: list[dict[str, int]], parts: list[int], part: int) -> Counter[str]:
    held: Counter[str] = Counter()
    for unit, place in zip(units, parts, strict=True):
        if place == part:
            held.update(unit)
    return held


@given(UNITS, SHARES, st.integers(0, 3))
@settings(max_examples=150, deadline=None)
def test_every_unit_is_in_one_part_and_the_seed_decides_which(
    units: list[dict[str, int]], shares: tuple[float, float], seed: int
) -> None:
    parts = draw_parts(units, shares, seed=seed)
    assert len(parts) == len(units) and set(parts) <= {0, 1, 2}
    assert parts == draw_parts(units, shares, seed=seed)
    assert not any(part == place for part in parts for place in (0, 1) if shares[place] == 0)


@given(UNITS, SHARES)
@settings(max_examples=150, deadline=None)
def test_training_keeps_two_contents_of_every_label_that_is_held_out(
    units: list[dict[str, int]], shares: tuple[float, float]
) -> None:
    parts = draw_parts(units, shares, seed=0)
    trained = contents(units, parts, 2)
    held_out = contents(units, parts, 0) + contents(units, parts, 1)
    assert all(trained[label] >= LEAST_TRAINED for label in held_out)


@given(UNITS)
@settings(max_examples=100, deadline=None)
def test_a_label_is_tested_wherever_one_of_its_units_can_be_spared(units: list[dict[str, int]]) -> None:
    parts = draw_parts(units, (0.2,), seed=0)
    tested, left = contents(units, parts, 0), contents(units, parts, 1)
    for unit, part in zip(units, parts, strict=True):
        spared = part == 1 and all(left[label] - unit[label] >= LEAST_TRAINED for label in unit)
        assert not spared or all(tested[label] for label in unit)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=4), SHARES)
@settings(max_examples=60, deadline=None)
def test_units_of_one_content_are_drawn_exactly(counts: list[int], shares: tuple[float, float]) -> None:
    units = [{str(label): 1} for label, count in enumerate(counts) for _ in range(count)]
    tested = contents(units, draw_parts(units, shares, seed=0), 0)
    for label, count in enumerate(counts):
        wanted = max(1, round(shares[0] * count)) if shares[0] and count > LEAST_TRAINED else 0
        assert tested[str(label)] == wanted


def test_a_label_in_one_large_unit_and_small_ones_gives_the_small_ones() -> None:
    units = [{"a": 50}, *[{"a": 1}] * 10]
    parts = draw_parts(units, (0.1, 0.05), seed=0)
    assert parts[0] == 2
    assert [contents(units, parts, part)["a"] for part in (0, 1, 2)] == [6, 3, 51]


def test_where_every_unit_is_too_large_the_smallest_is_taken() -> None:
    units = [{"a": 9}, {"a": 5}, {"a": 7}]
    assert draw_parts(units, (0.1,), seed=0) == [1, 0, 1]
