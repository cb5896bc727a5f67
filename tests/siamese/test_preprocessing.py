from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

from siamese.preprocessing import Placement, Preprocessing
from tests.toys import noise, plain

SIDES = st.integers(1, 400)
FITS = st.sampled_from(["crop", "pad"])


def plainly(image_size: int, fit: str) -> Preprocessing:
    """Preprocessing that leaves the colours alone."""
    return Preprocessing.model_validate(
        {"image_size": image_size, "fit": fit, "mean": (0, 0, 0), "std": (1, 1, 1)}
    )


def ramp(width: int, height: int) -> Image.Image:
    """A picture whose red says how far right a pixel lies, and whose green how far down."""
    x = np.linspace(0, 255, width)[None].repeat(height, 0)
    y = np.linspace(0, 255, height)[:, None].repeat(width, 1)
    return Image.fromarray(np.stack([x, y, 0 * x], axis=-1).round().astype(np.uint8))


@given(width=SIDES, height=SIDES, fit=FITS, size=st.sampled_from([32, 224]))
def test_the_box_is_a_square_around_the_middle_of_the_picture(
    width: int, height: int, fit: str, size: int
) -> None:
    left, top, right, bottom = plainly(size, fit).placement(width, height).box
    assert right - left == pytest.approx(bottom - top)
    pixel = (right - left) / size
    assert abs((left + right) / 2 - width / 2) <= pixel
    assert abs((top + bottom) / 2 - height / 2) <= pixel


@given(width=SIDES, height=SIDES)
def test_crop_takes_the_largest_square_inside_the_picture(width: int, height: int) -> None:
    left, top, right, bottom = Preprocessing(fit="crop").placement(width, height).box
    assert right - left == min(width, height)
    assert min(left, top) >= 0 and right <= width and bottom <= height


@given(width=SIDES, height=SIDES)
def test_pad_shows_the_whole_picture(width: int, height: int) -> None:
    left, top, right, bottom = Preprocessing(fit="pad").placement(width, height).box
    assert right - left == max(width, height)
    half_a_pixel = max(width, height) / 224 / 2 + 1e-9
    assert left <= half_a_pixel and top <= half_a_pixel
    assert right >= width - half_a_pixel and bottom >= height - half_a_pixel


@given(width=st.integers(40, 400), height=st.integers(40, 400), fit=FITS)
@settings(max_examples=60, deadline=None)
def test_the_box_says_where_each_pixel_of_the_square_lies_so_nothing_is_distorted(
    width: int, height: int, fit: str
) -> None:
    size = 64
    preprocessing = plainly(size, fit)
    square = preprocessing.preprocess(ramp(width, height))
    left, top, right, bottom = preprocessing.placement(width, height).box
    x = left + (np.arange(size) + 0.5) * (right - left) / size
    y = top + (np.arange(size) + 0.5) * (bottom - top) / size
    pixel = (right - left) / size
    inside_x = (x > 2 * pixel + 1) & (x < width - 2 * pixel - 1)
    inside_y = (y > 2 * pixel + 1) & (y < height - 2 * pixel - 1)
    seen = np.ix_(inside_y, inside_x)
    found_x, found_y = square[0][seen] * (width - 1) + 0.5, square[1][seen] * (height - 1) + 0.5
    slack = max(width, height) / 255 + 0.55 * pixel  # the ramp is of 8 bits; padding is of whole pixels
    assert abs(found_x - x[inside_x][None, :]).max(initial=0) <= slack
    assert abs(found_y - y[inside_y][:, None]).max(initial=0) <= slack


@given(width=st.integers(1, 100), height=st.integers(1, 100), fit=FITS)
@settings(deadline=None)
def test_a_tensor_is_finite_contiguous_float32_of_the_checkpoints_size(
    width: int, height: int, fit: str
) -> None:
    square = Preprocessing.model_validate({"image_size": 32, "fit": fit}).preprocess(
        plain("red", size=(width, height))
    )
    assert square.shape == (3, 32, 32) and square.dtype == np.float32
    assert square.flags.c_contiguous and np.isfinite(square).all()


def test_colours_are_normalised_by_the_checkpoints_own_constants() -> None:
    preprocessing = Preprocessing(image_size=8, mean=(0.5, 0.25, 0.0), std=(0.5, 0.25, 2.0))
    square = preprocessing.preprocess(Image.new("RGB", (20, 10), (255, 0, 255)))
    assert square.max(axis=(1, 2)) == pytest.approx([1.0, -1.0, 0.5], abs=1e-6)


def test_padding_is_exactly_the_mean_colour() -> None:
    square = Preprocessing(image_size=64, fit="pad").preprocess(noise(1, size=(40, 10)))
    assert (square[:, :24] == 0).all() and (square[:, 40:] == 0).all()
    assert (square[:, 24:40] != 0).mean() > 0.9


def test_only_an_rgb_picture_can_be_prepared() -> None:
    with pytest.raises(ValueError, match="RGBA"):
        Preprocessing().preprocess(Image.new("RGBA", (4, 4)))


@given(width=st.integers(1, 5000), height=st.integers(1, 5000), grid=st.integers(1, 13))
def test_the_cells_that_are_seen_form_one_block_around_the_middle_and_never_none(
    width: int, height: int, grid: int
) -> None:
    seen = Preprocessing(fit="pad").seen_cells(width, height, (grid, grid))
    assert seen.any()
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    assert seen[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
    assert seen.sum() == len(rows) * len(columns)


@pytest.mark.parametrize(
    "size, rows, columns",
    [
        ((100, 100), range(4), range(4)),
        ((100, 50), range(1, 3), range(4)),
        ((50, 100), range(4), range(1, 3)),
        ((100, 80), range(4), range(4)),  # the outer cells show the picture on 0.6 of their area
        ((100, 70), range(1, 3), range(4)),  # and here on 0.4
        ((10_000, 1), range(1, 2), range(4)),  # a line of one pixel lies in one row of cells
    ],
)
def test_a_cell_is_seen_when_it_mostly_shows_the_picture(
    size: tuple[int, int], rows: range, columns: range
) -> None:
    expected = np.zeros((4, 4), bool)
    expected[np.ix_(rows, columns)] = True
    assert (Preprocessing(image_size=32, fit="pad").seen_cells(*size, (4, 4)) == expected).all()


def test_cropped_pictures_are_seen_in_every_cell() -> None:
    assert Preprocessing(fit="crop").seen_cells(1000, 10, (7, 7)).all()


def test_a_placement_without_area_is_refused() -> None:
    with pytest.raises(ValueError, match="no area"):
        Placement(0, 4, (0, 0, 1, 1))
    with pytest.raises(ValueError, match="no area"):
        Placement(4, 4, (1, 0, 1, 1))


def test_preprocessing_that_cannot_be_is_refused() -> None:
    for wrong in ({"image_size": 0}, {"fit": "squash"}, {"mean": (1, 2)}):
        with pytest.raises(ValidationError):
            Preprocessing.model_validate(wrong)
