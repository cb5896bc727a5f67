from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from siamese.augmentation import Augmentation, augment, mirrors
from tests.toys import noise, plain

LEVELS: tuple[Augmentation, ...] = ("none", "light", "strong", "free")


def view(picture: Image.Image, level: Augmentation, seed: int) -> np.ndarray:
    return np.asarray(augment(picture, level=level, generator=np.random.default_rng(seed)))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("size", [(64, 48), (1, 1), (2, 90), (300, 3)])
def test_a_view_of_any_shape_is_a_picture(level: Augmentation, size: tuple[int, int]) -> None:
    for seed in range(10):
        picture = augment(noise(0, size=size), level=level, generator=np.random.default_rng(seed))
        assert picture.mode == "RGB"
        assert min(picture.size) >= 1


@pytest.mark.parametrize("level", LEVELS)
def test_the_generator_decides_the_view(level: Augmentation) -> None:
    picture = noise(1)
    assert np.array_equal(view(picture, level, 3), view(picture, level, 3))


@pytest.mark.parametrize("level", ["light", "strong", "free"])
def test_views_differ(level: Augmentation) -> None:
    assert not np.array_equal(view(noise(1), level, 3), view(noise(1), level, 4))


def test_no_augmentation_is_the_picture_itself() -> None:
    assert np.array_equal(view(noise(2), "none", 0), np.asarray(noise(2)))


@pytest.mark.parametrize("level", ["strong", "free"])
def test_a_view_of_a_photo_keeps_half_of_the_picture(level: Augmentation) -> None:
    for seed in range(50):
        height, width, _ = view(noise(3, size=(100, 80)), level, seed).shape
        assert height * width >= 0.48 * 100 * 80


def test_a_light_view_brings_in_the_border_and_no_black_bars() -> None:
    for seed in range(20):
        assert (view(plain("white"), "light", seed) == 255).all()


def test_only_views_of_photos_are_mirrored() -> None:
    halves = np.zeros((40, 40, 3), np.uint8)
    halves[:, 20:] = 200
    picture = Image.fromarray(halves)
    for level in LEVELS:
        views = [view(picture, level, seed).astype(float) for seed in range(20)]
        turned = [image[:, :4].mean() > image[:, -4:].mean() for image in views]
        assert any(turned) == mirrors(level)


def test_a_free_view_has_each_of_the_eight_symmetries_of_the_square() -> None:
    pixels = np.zeros((40, 40, 3), np.uint8)
    pixels[:20, :20], pixels[:20, 20:] = 100, 250
    views = [view(Image.fromarray(pixels), "free", seed) for seed in range(100)]
    corners = [image[np.ix_([1, -2], [1, -2])].mean(axis=2).ravel() for image in views]
    assert (
        len({tuple(np.argsort(np.argsort(-four, kind="stable")[:2])) + tuple(four > 40) for four in corners})
        == 8
    )
