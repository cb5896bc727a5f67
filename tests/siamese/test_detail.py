from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from siamese.detail import cell_detail
from siamese.preprocessing import Preprocessing
from tests.toys import mean_colour_encoder, mosaic, noise, plain

GRID = (4, 4)


def chequered() -> Image.Image:
    """Black and white in turn, pixel by pixel, left; grey, right."""
    pixels = np.full((32, 32, 3), 128, np.uint8)
    pixels[:, :16] = 255 * (np.indices((32, 16)).sum(0) % 2)[..., None]
    return Image.fromarray(pixels)


def test_detail_is_the_standard_deviation_of_luminance_within_a_cell(tmp_path: Path) -> None:
    detail = mean_colour_encoder(tmp_path).prepare(chequered()).detail
    assert detail is not None and detail.dtype == np.uint8
    assert detail.tolist() == [[128, 128, 0, 0]] * 4  # half 0, half 255: 127.5


def test_cells_of_plain_colours_have_no_detail_however_much_they_differ(tmp_path: Path) -> None:
    picture = mosaic([["red", "blue", "lime", "white"]] * 4)
    detail = mean_colour_encoder(tmp_path).prepare(picture).detail
    assert detail is not None and not detail.any()


def test_padding_is_no_detail(tmp_path: Path) -> None:
    encoder = mean_colour_encoder(tmp_path, fit="pad")
    plainly = encoder.prepare(plain("white", size=(64, 37))).detail
    assert plainly is not None and not plainly.any()
    prepared = encoder.prepare(noise(0, size=(64, 37)))
    assert prepared.detail is not None
    assert (prepared.detail > 0).tolist() == prepared.seen.tolist()


@given(
    image_size=st.integers(32, 80),
    grid=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    fit=st.sampled_from(["crop", "pad"]),
    width=st.integers(1, 200),
    height=st.integers(1, 200),
)
@settings(max_examples=60, deadline=None)
def test_detail_does_not_depend_on_the_constants_of_the_normalisation(
    image_size: int, grid: tuple[int, int], fit: str, width: int, height: int
) -> None:
    picture = noise(width, size=(width, height))

    def detail(**constants: object) -> np.ndarray:
        preprocessing = Preprocessing.model_validate({"image_size": image_size, "fit": fit, **constants})
        seen = preprocessing.seen_cells(width, height, grid)
        tensor = preprocessing.preprocess(picture)
        return cell_detail(tensor, seen, size=picture.size, preprocessing=preprocessing)

    plainly = detail(mean=(0, 0, 0), std=(1, 1, 1))
    assert plainly.shape == grid
    assert np.abs(plainly.astype(int) - detail()).max() <= 1  # the last digit may round the other way
