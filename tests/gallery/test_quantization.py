"""One byte a number costs no more than it must, and so do two."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from gallery.segments.quantization import LEVELS, dequantize, halve, quantize

FLOATS = st.floats(-1e6, 1e6, width=32, allow_subnormal=False)


@given(arrays(np.float32, (2, 3, 4), elements=FLOATS))
def test_no_number_is_off_by_more_than_half_a_step(local: np.ndarray) -> None:
    values, scale = quantize(local)
    back = dequantize(values, scale)
    assert (values.dtype, back.dtype, back.shape) == (np.int8, np.float32, local.shape)
    assert np.abs(back - local).max() <= 0.501 * scale
    assert scale == pytest.approx(np.abs(local).max() / LEVELS, rel=1e-6)


@given(arrays(np.float32, (2, 3, 4), elements=FLOATS))
def test_what_the_encoder_did_not_see_stays_exactly_zero_and_signs_are_alike(local: np.ndarray) -> None:
    values, scale = quantize(local)
    assert (dequantize(values, scale)[local == 0] == 0).all()
    mirrored, same = quantize(-local)
    assert (mirrored == -values).all()
    assert same == scale


@given(arrays(np.float32, (2, 3, 4), elements=FLOATS))
def test_two_bytes_are_off_by_two_thousandths_at_most_however_large_the_numbers(local: np.ndarray) -> None:
    values, scale = halve(local)
    back = dequantize(values, scale)
    assert (values.dtype, back.dtype, back.shape) == (np.float16, np.float32, local.shape)
    assert (np.abs(back - local) <= np.abs(local) / 2**10 + scale / 2**24).all()
    assert (back[local == 0] == 0).all()


def test_all_zero_stays_all_zero() -> None:
    values, scale = quantize(np.zeros((1, 2, 3), np.float32))
    assert scale == 0.0
    assert not dequantize(values, scale).any()
    assert halve(np.zeros((1, 2, 3), np.float32))[1] == 0.0


@pytest.mark.parametrize("rounded", [quantize, halve])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_none_is_refused(
    bad: float, rounded: Callable[[NDArray[np.float32]], object]
) -> None:
    with pytest.raises(ValueError, match="must be finite"):
        rounded(np.array([[[0.0, bad]]], np.float32))


def test_the_sum_of_a_map_is_kept_within_a_thousandth() -> None:
    local = np.random.default_rng(0).standard_normal((7, 7, 128), dtype=np.float32) + 0.3
    mean = local.mean(axis=(0, 1))
    direction = mean / np.linalg.norm(mean)
    exact = (local @ direction).mean() / np.linalg.norm(mean)
    stored = (dequantize(*quantize(local)) @ direction).mean() / np.linalg.norm(mean)
    assert stored == pytest.approx(exact, abs=1e-3)
