"""JPEGs are decoded at the scale that an encoder needs, and stay the pictures that they are."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageOps
from pydantic import ValidationError

from siamese.decoding import decode_for
from siamese.errors import UnreadableImage
from siamese.images import ORIENTATION_TAG, ImageLimits, decode
from siamese.preparing import prepare
from siamese.preprocessing import LEAST_SIDE, Preprocessing
from siamese.scaled_image import ScaledImage
from siamese.training_config import TrainingConfig
from tests.toys import jpeg, mean_colour_encoder, noise, plain, png

OLD_DESCRIPTION = '{"image_size":32,"fit":"crop","mean":[0.0,0.0,0.0],"std":[1.0,1.0,1.0]}'
OLD_FINGERPRINT = "4bfa63185e9d8e05ce328538a9563e1128eaab4bf81cb832cbda20477b4db426"
"""Of the mean-colour encoder, both as they were written before there was a gap."""

ORIENTATIONS = st.integers(1, 8)
SIDES = st.integers(2 * LEAST_SIDE, 9 * LEAST_SIDE)
FITS = st.sampled_from(["crop", "pad"])


def plainly(fit: str = "crop", *, reducing_gap: float = 2.0, image_size: int = 64) -> Preprocessing:
    """Preprocessing that leaves the colours alone."""
    square = {"image_size": image_size, "fit": fit, "mean": (0, 0, 0), "std": (1, 1, 1)}
    return Preprocessing.model_validate({**square, "reducing_gap": reducing_gap})


def slopes(width: int, height: int) -> Image.Image:
    """Red says how far right a pixel lies, and green how far down: a shift of the box shows."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image.fromarray(np.stack([x, y, 0 * x], axis=-1).round().astype(np.uint8))


def turned(picture: Image.Image, orientation: int, **options: object) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = orientation
    return jpeg(picture, exif=exif, quality=95, subsampling=0, **options)


def squares(data: bytes, preprocessing: Preprocessing) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The encoder's square of the picture decoded at scale, and of the one decoded in full."""
    return preprocessing.preprocess(decode_for(data, preprocessing)), preprocessing.preprocess(decode(data))


def test_an_encoder_from_before_the_gap_keeps_its_description_its_fingerprint_and_its_embeddings(
    tmp_path: Path,
) -> None:
    encoder = mean_colour_encoder(tmp_path)
    old = Preprocessing.model_validate_json(OLD_DESCRIPTION)
    assert old == encoder.preprocessing and old.reducing_gap == 0
    assert old.model_dump_json() == OLD_DESCRIPTION
    assert encoder.fingerprint == OLD_FINGERPRINT
    data = jpeg(noise(1, size=(1100, 900)))
    seen = decode_for(data, old)
    assert np.array_equal(np.asarray(seen.pixels), np.asarray(decode(data)))
    assert np.array_equal(encoder.prepare(seen).tensor, encoder.prepare(decode(data)).tensor)


def test_the_gap_is_written_and_makes_another_encoder() -> None:
    preprocessing = plainly(reducing_gap=1.5)
    assert Preprocessing.model_validate_json(preprocessing.model_dump_json()) == preprocessing
    assert preprocessing.model_dump()["reducing_gap"] == 1.5


@pytest.mark.parametrize("gap", [-1.0, 0.5, 0.99])
def test_a_gap_that_would_enlarge_pictures_is_refused(gap: float) -> None:
    with pytest.raises(ValidationError):
        Preprocessing(reducing_gap=gap)


def test_new_encoders_have_a_gap_and_a_training_config_from_before_has_none() -> None:
    assert TrainingConfig().preprocessing.reducing_gap >= 1
    assert TrainingConfig.from_scratch().preprocessing.reducing_gap >= 1
    old = TrainingConfig().model_dump()
    del old["preprocessing"]["reducing_gap"]
    assert TrainingConfig.model_validate(old).preprocessing.reducing_gap == 0


@given(width=st.integers(1, 9000), height=st.integers(1, 9000), fit=FITS, gap=st.floats(1, 4))
def test_no_less_is_decoded_than_the_gap_says_nor_than_a_thumbnail_needs(
    width: int, height: int, fit: str, gap: float
) -> None:
    preprocessing = plainly(fit, reducing_gap=gap)
    most = preprocessing.reduction(width, height)
    left, _, right, _ = preprocessing.placement(width, height).box
    if most > 1:
        assert (right - left) / most >= gap * preprocessing.image_size * 0.99
        assert min(width, height) / most >= LEAST_SIDE


@given(width=SIDES, height=SIDES, orientation=ORIENTATIONS, fit=FITS)
@settings(max_examples=25, deadline=None)
def test_the_encoder_sees_the_same_part_of_the_upright_picture_at_the_same_place(
    width: int, height: int, orientation: int, fit: str
) -> None:
    preprocessing = plainly(fit)
    data = turned(slopes(width, height), orientation)
    seen, full = decode_for(data, preprocessing), decode(data)
    assert seen.size == full.size
    at_scale, in_full = squares(data, preprocessing)
    assert np.abs(at_scale - in_full).max() < 2.5 / 255  # a pixel of the square is four shades
    one, other = (prepare(each, preprocessing, (4, 4)) for each in (seen, full))
    assert np.array_equal(one.seen, other.seen)


@given(seed=st.integers(0, 9), turn=st.sampled_from(list(Image.Transpose)), across=st.integers(9, 16))
def test_the_area_turns_with_its_pixels(seed: int, turn: Image.Transpose, across: int) -> None:
    picture = noise(seed, size=(across, 12))
    scaled = ScaledImage(picture, 8 * across - 3, 96, (0, 0, across - 3 / 8, 12))
    found = scaled.transposed(turn)
    upright = picture.transpose(turn)
    assert found.pixels.tobytes() == upright.tobytes()
    again = found.transposed(
        {Image.Transpose.ROTATE_90: Image.Transpose.ROTATE_270}.get(
            turn, {Image.Transpose.ROTATE_270: Image.Transpose.ROTATE_90}.get(turn, turn)
        )
    )
    assert (again.area, again.size) == (scaled.area, scaled.size)
    left, top, right, bottom = found.area
    assert (right - left) * (bottom - top) == pytest.approx((across - 3 / 8) * 12)


@pytest.mark.parametrize("kind", ["plain", "subsampled", "progressive", "grey", "cmyk", "mpo"])
def test_every_kind_of_jpeg_is_decoded_smaller_and_looks_the_same(kind: str) -> None:
    picture = slopes(1203, 901)
    data = BytesIO()
    if kind == "grey":
        ImageOps.grayscale(picture).save(data, "JPEG", quality=95)
    elif kind == "cmyk":
        picture.convert("CMYK").save(data, "JPEG", quality=95)
    elif kind == "mpo":
        picture.save(data, "MPO", save_all=True, append_images=[plain("red", size=(800, 800))], quality=95)
    else:
        subsampling = 2 if kind == "subsampled" else 0
        picture.save(data, "JPEG", quality=95, progressive=kind == "progressive", subsampling=subsampling)
    seen = decode_for(data.getvalue(), plainly())
    assert (seen.size, seen.pixels.size, seen.pixels.mode) == ((1203, 901), (301, 226), "RGB")
    at_scale, in_full = squares(data.getvalue(), plainly())
    assert np.abs(at_scale - in_full).max() < 5 / 255


def test_what_is_no_jpeg_and_what_is_small_is_decoded_in_full() -> None:
    for data, size in ((png(noise(0, size=(600, 500))), (600, 500)), (jpeg(noise(0)), (64, 64))):
        assert decode_for(data, plainly()).pixels.size == size
        at_scale, in_full = squares(data, plainly())
        assert np.array_equal(at_scale, in_full)


def test_limits_count_the_pixels_of_the_picture_in_full() -> None:
    with pytest.raises(UnreadableImage, match="1,000,000 are allowed"):
        decode_for(jpeg(plain("red", size=(1001, 1000))), plainly(), limits=ImageLimits(max_pixels=10**6))


def test_a_truncated_jpeg_is_refused_at_any_scale() -> None:
    data = jpeg(noise(1, size=(900, 900)))
    with pytest.raises(UnreadableImage, match="truncated"):
        decode_for(data[: len(data) // 2], plainly())


def test_pixels_that_show_no_picture_at_a_scale_are_refused() -> None:
    for size, area in (((5, 5), (0, 0, 5, 5)), ((20, 20), (0, 0, 11, 10)), ((20, 20), (3, 0, 3, 10))):
        with pytest.raises(ValueError, match="at a scale"):
            ScaledImage(noise(0, size=(10, 10)), *size, area)
