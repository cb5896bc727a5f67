from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

from gallery.near_duplicates import SIDE, near_duplicates

Thumbnails = NDArray[np.uint8]
SEEDS = st.integers(0, 10_000)


def textured(seed: int, *, width: int = 180, height: int = 120) -> Image.Image:
    """A picture of soft blobs and fine grain, as a photo has them."""
    generator = np.random.default_rng(seed)
    layers = np.zeros((height, width, 3))
    for cells, strength in ((3, 60), (9, 45), (30, 30)):
        grain = Image.fromarray(generator.integers(0, 256, (cells, cells, 3), np.uint8))
        layers += strength * (np.asarray(grain.resize((width, height), Image.Resampling.BICUBIC)) / 128 - 1)
    return Image.fromarray((128 + layers).clip(0, 255).astype(np.uint8)).filter(ImageFilter.SMOOTH)


def thumbnails(*pictures: Image.Image) -> Thumbnails:
    small = (each.convert("L").resize((SIDE, SIDE), Image.Resampling.BILINEAR) for each in pictures)
    return np.stack([np.asarray(each) for each in small])


def pairs(*pictures: Image.Image) -> list[list[int]]:
    found: list[list[int]] = near_duplicates(thumbnails(*pictures)).tolist()
    return found


def encoded(picture: Image.Image, quality: int) -> Image.Image:
    data = BytesIO()
    picture.save(data, "JPEG", quality=quality)
    return Image.open(data)


@given(SEEDS, st.integers(30, 95))
@settings(max_examples=40, deadline=None)
def test_a_picture_encoded_again_is_found(seed: int, quality: int) -> None:
    picture = textured(seed)
    assert pairs(picture, encoded(picture, quality)) == [[0, 1]]


@given(SEEDS, st.sampled_from([0.5, 0.95, 1.05, 2.0]))
@settings(max_examples=40, deadline=None)
def test_a_resized_picture_is_found(seed: int, factor: float) -> None:
    picture = textured(seed)
    resized = picture.resize((round(picture.width * factor), round(picture.height * factor)))
    assert pairs(picture, resized) == [[0, 1]]


@given(SEEDS, st.floats(0.8, 1.2), st.floats(0.4, 1.5))
@settings(max_examples=40, deadline=None)
def test_a_recoloured_picture_is_found(seed: int, brightness: float, colour: float) -> None:
    picture = textured(seed)
    recoloured = ImageEnhance.Brightness(ImageEnhance.Color(picture).enhance(colour)).enhance(brightness)
    assert pairs(picture, recoloured) == [[0, 1]]


@given(SEEDS)
@settings(max_examples=40, deadline=None)
def test_different_pictures_are_not_near_duplicates(seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (8, SIDE, SIDE), np.uint8)
    assert len(near_duplicates(noise)) == 0
    assert pairs(*(textured(seed + number) for number in range(8))) == []


@given(SEEDS, st.permutations(range(6)))
@settings(max_examples=40, deadline=None)
def test_the_order_of_the_thumbnails_changes_nothing_but_the_positions(seed: int, order: list[int]) -> None:
    originals = [textured(seed + number) for number in range(3)]
    shots = thumbnails(*originals, *(encoded(picture, 60) for picture in originals))
    moved = [[order[first], order[second]] for first, second in near_duplicates(shots[order]).tolist()]
    assert sorted(sorted(pair) for pair in moved) == [[0, 3], [1, 4], [2, 5]]


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_a_picture_is_its_own_near_duplicate(seed: int) -> None:
    assert pairs(textured(seed), textured(seed)) == [[0, 1]]


def flat() -> Thumbnails:
    generator = np.random.default_rng(0)
    slope = np.tile(np.linspace(0, 255, SIDE), (SIDE, 1)).astype(np.uint8)
    blank = np.full((SIDE, SIDE), 250, np.uint8)
    grain = (blank - generator.integers(0, 2, blank.shape)).astype(np.uint8)
    return np.stack([blank, blank, grain, grain, slope, slope, slope.T, np.zeros_like(blank)])


def test_flat_thumbnails_match_nothing_not_even_their_equals() -> None:
    assert len(near_duplicates(flat())) == 0


def test_pairs_are_found_across_blocks_between_flat_thumbnails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gallery.near_duplicates.BLOCK", 2)
    shots = thumbnails(textured(1), textured(2), textured(1), textured(3), textured(2))
    mixed = np.concatenate([flat()[:3], shots, flat()[3:]])
    assert sorted(near_duplicates(mixed).tolist()) == [[3, 5], [4, 7]]


def test_no_thumbnails_have_no_near_duplicates() -> None:
    assert near_duplicates(np.empty((0, SIDE, SIDE), np.uint8)).shape == (0, 2)


def test_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(n, 32, 32\)"):
        near_duplicates(np.zeros((2, 16, 16), np.uint8))
