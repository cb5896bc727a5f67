"""Fills: hidden pixels are replaced, everything else stays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from explain.fills import NOISE, MakesFill, blur, noisy_linear

SIDE = 96
FILLS = pytest.mark.parametrize("makes", [blur, noisy_linear])


def noise_picture(seed: int, side: int = SIDE) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal((3, side, side)).astype(np.float32)


def everything(side: int = SIDE) -> NDArray[np.bool_]:
    return np.ones((side, side), np.bool_)


def slope(side: int = SIDE) -> NDArray[np.float32]:
    """Three colours that rise from 0 to 1 along a line each."""
    y, x = np.mgrid[:side, :side].astype(np.float32) / side
    return np.stack([x, y, (x + y) / 2])


@FILLS
@given(seed=st.integers(0, 99), side=st.sampled_from([8, 32, 50]))
def test_what_is_not_hidden_stays_bit_for_bit(makes: MakesFill, seed: int, side: int) -> None:
    generator = np.random.default_rng(seed)
    seen = everything(side)
    seen[:, : side // 4] = False
    pixels = noise_picture(seed, side) * seen
    hidden = generator.random((side, side)) < generator.random()
    filled = makes(pixels, seen)(hidden)
    assert filled.dtype == np.float32 and np.isfinite(filled).all()
    assert np.array_equal(filled[:, ~(hidden & seen)], pixels[:, ~(hidden & seen)])


@FILLS
def test_nothing_hidden_is_the_picture_and_everything_hidden_is_not(makes: MakesFill) -> None:
    pixels = noise_picture(0)
    fill = makes(pixels, everything())
    assert np.array_equal(fill(~everything()), pixels)
    assert fill(everything()).std() < 0.2 < pixels.std()


def test_imputation_carries_a_slope_of_colour_on_across_a_hole() -> None:
    hidden = ~everything()
    hidden[30:70, 20:80] = True
    filled = noisy_linear(slope(), everything())(hidden)
    wrong = np.abs(filled - slope())[:, hidden]
    assert wrong.mean() < 2 * NOISE, "the noise alone makes 0.008"
    assert wrong.max() < 0.08


def test_imputation_leaves_no_trace_of_the_shape_that_was_hidden() -> None:
    flat = np.full((3, SIDE, SIDE), 0.7, np.float32)
    hidden = ~everything()
    hidden[10:50, 10:50] = True
    filled = noisy_linear(flat, everything())(hidden)
    assert np.abs(filled - flat).max() < 6 * NOISE
    assert np.abs(filled[:, hidden].mean() - 0.7) < NOISE / 5


def test_padding_flows_into_no_fill() -> None:
    seen = everything()
    seen[:20] = seen[-20:] = False
    pixels = np.where(seen, np.float32(0.9), np.float32(0)) * np.ones((3, 1, 1), np.float32)
    hidden = ~everything()
    hidden[15:40] = True
    assert np.allclose(blur(pixels, seen)(hidden)[:, seen], 0.9, atol=1e-5)
    assert np.abs(noisy_linear(pixels, seen)(hidden)[:, seen] - 0.9).max() < 6 * NOISE


def test_the_blur_removes_what_is_as_small_as_a_cell() -> None:
    pixels = np.zeros((3, SIDE, SIDE), np.float32)
    pixels[:, 40:54, 40:54] = 1  # a seventh of the side
    assert blur(pixels, everything())(everything()).max() < 0.25


def test_equal_seeds_draw_equal_noise() -> None:
    hidden = np.zeros((SIDE, SIDE), np.bool_)
    hidden[20:40] = True
    pixels = noise_picture(1)
    one, same, other = (noisy_linear(pixels, everything(), seed=seed)(hidden) for seed in (0, 0, 1))
    assert np.array_equal(one, same) and not np.array_equal(one, other)
