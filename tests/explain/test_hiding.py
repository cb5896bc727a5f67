"""The order of pixels: by the map, of what is seen alone, and never by accident."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explain.errors import MapMismatch, NotFinite
from explain.hiding import Order

SIDE = 32


def seen(rows: int = SIDE) -> np.ndarray:
    mask = np.zeros((SIDE, SIDE), np.bool_)
    mask[:rows] = True
    return mask


@given(seed=st.integers(0, 99), share=st.floats(0, 1), rows=st.integers(1, SIDE))
def test_hottest_and_coldest_are_shares_of_what_is_seen_and_complete_each_other(
    seed: int, share: float, rows: int
) -> None:
    order = Order.of(np.random.default_rng(seed).standard_normal((4, 4)), seen(rows))
    hot, cold = order.hottest(share), order.coldest(share)
    assert hot.sum() == cold.sum() == round(share * rows * SIDE)
    assert not (hot & ~seen(rows)).any() and not (cold & ~seen(rows)).any()
    rest = order.coldest(1 - share)
    assert abs(int((hot ^ rest).sum()) - rows * SIDE) <= 1


def test_the_hottest_quarter_lies_on_the_hot_cell() -> None:
    grid = np.zeros((2, 2))
    grid[0, 1] = 1
    hot = Order.of(grid, seen()).hottest(0.25)
    assert hot[: SIDE // 2, SIDE // 2 :].mean() > 0.9
    cold = Order.of(-grid, seen()).coldest(0.25)
    assert np.array_equal(hot, cold)


def test_a_blank_map_hides_at_random_and_not_from_the_top() -> None:
    hot = Order.of(np.zeros((4, 4)), seen()).hottest(0.5)
    assert 0.4 < hot[: SIDE // 2].mean() < 0.6
    assert np.array_equal(hot, Order.of(np.zeros((7, 7)), seen()).hottest(0.5))


def test_no_order_comes_of_nan_and_no_share_lies_beyond_one() -> None:
    with pytest.raises(NotFinite):
        Order.of(np.full((2, 2), np.nan), seen())
    with pytest.raises(MapMismatch, match=r"1\.5"):
        Order.of(np.zeros((2, 2)), seen()).hottest(1.5)
