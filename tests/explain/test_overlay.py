import numpy as np
import pytest
from PIL import Image

from explain.overlay import layer, muted, overlay
from siamese.preprocessing import Placement, Preprocessing

SQUARE = Placement(32, 32, (0, 0, 32, 32))
HOT = np.ones((2, 2), np.float32)
COLD = np.zeros((2, 2), np.float32)
FULL = 4.0  # the density of HOT


def photo(*size: int) -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    return Image.fromarray(pixels)


def mean_colour(image: Image.Image) -> np.ndarray:
    return np.asarray(image).reshape(-1, 3).mean(axis=0)


def test_cold_shows_the_picture_itself() -> None:
    drawn = overlay(photo(32, 32), SQUARE, scale=FULL, factual=COLD, counterfactual=COLD)
    np.testing.assert_array_equal(np.asarray(drawn), np.asarray(photo(32, 32)))
    assert drawn.mode == "RGB"


def test_what_speaks_for_the_verdict_is_orange_and_what_speaks_against_is_blue_in_rgb_order() -> None:
    grey = Image.new("RGB", (32, 32), (128, 128, 128))
    red, _, blue = mean_colour(overlay(grey, SQUARE, scale=FULL, factual=HOT))
    assert red > 200 and blue < 80
    red, _, blue = mean_colour(overlay(grey, SQUARE, scale=FULL, counterfactual=HOT))
    assert blue > 200 and red < 130


def test_a_red_picture_stays_red() -> None:
    drawn = overlay(Image.new("RGB", (32, 32), "red"), SQUARE, scale=FULL, factual=COLD)
    assert tuple(mean_colour(drawn)) == (255, 0, 0)


def test_opacity_grows_with_the_heat() -> None:
    heats = [0.0, 0.25, 0.5, 0.75, 1.0]
    opacities = [np.asarray(layer((8, 8), SQUARE, scale=FULL, factual=HOT * heat))[4, 4, 3] for heat in heats]
    assert opacities[0] == 0
    assert sorted(set(opacities)) == opacities


def test_the_layer_alone_laid_over_the_picture_is_the_overlay() -> None:
    grids = {"factual": np.float32([[0, 1], [0.5, 0]]), "counterfactual": np.float32([[0.7, 0], [0, 0]])}
    alone = layer((32, 32), SQUARE, scale=FULL, **grids)
    assert alone.mode == "RGBA"
    together = Image.alpha_composite(photo(32, 32).convert("RGBA"), alone).convert("RGB")
    assert together == overlay(photo(32, 32), SQUARE, scale=FULL, **grids)


def test_both_parts_are_drawn_each_where_it_is_the_stronger() -> None:
    warm, cool = np.float32([[1, 0]]), np.float32([[0, 1]])
    drawn = np.asarray(
        overlay(Image.new("RGB", (32, 32)), SQUARE, scale=2.0, factual=warm, counterfactual=cool), int
    )
    assert drawn[16, 4, 0] > drawn[16, 4, 2]
    assert drawn[16, 28, 2] > drawn[16, 28, 0]


def test_what_the_encoder_did_not_see_is_veiled_and_hatched_however_hot_the_rest() -> None:
    wide = Preprocessing().placement(64, 32)
    dark = Image.new("RGB", (64, 32))
    drawn = np.asarray(overlay(dark, wide, scale=FULL, factual=COLD), int)
    seen, margin = drawn[:, 16:48], drawn[:, :16]
    assert not seen.any()
    assert margin.min() > 50
    assert len(np.unique(margin.reshape(-1, 3), axis=0)) == 2, "veil and hatching"
    hot = np.asarray(overlay(dark, wide, scale=FULL, factual=HOT), int)
    np.testing.assert_array_equal(hot[:, :16], margin)


@pytest.mark.parametrize("size", [(8, 8), (1, 1), (300, 20)])
def test_a_picture_is_drawn_in_its_own_size(size: tuple[int, int]) -> None:
    placement = Preprocessing(fit="pad").placement(*size)
    assert overlay(photo(*size), placement, scale=FULL, factual=HOT).size == size


def test_a_thumbnail_is_drawn_like_the_picture_it_was_made_of() -> None:
    placement = Preprocessing().placement(640, 320)
    unlined = np.float32([[0, 0.4], [0, 0]])
    large = overlay(Image.new("RGB", (640, 320)), placement, scale=FULL, factual=unlined)
    small = overlay(Image.new("RGB", (64, 32)), placement, scale=FULL, factual=unlined)
    reduced = np.asarray(large.resize((64, 32), Image.Resampling.BOX), int)[:, 18:46]
    np.testing.assert_allclose(reduced, np.asarray(small, int)[:, 18:46], atol=6)


def test_a_muted_picture_is_pale_and_almost_grey() -> None:
    red, green, blue = mean_colour(muted(Image.new("RGB", (4, 4), "red")))
    assert max(red, green, blue) - min(red, green, blue) < 30
    assert min(mean_colour(muted(Image.new("RGB", (4, 4), "black")))) > 60
    assert tuple(mean_colour(muted(Image.new("RGB", (4, 4), "white")))) == (255, 255, 255)
