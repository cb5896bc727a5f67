from __future__ import annotations

import io

import pytest
from PIL import Image

from indexer.thumbnails import LONGER_SIDE, SHORTER_SIDE, thumbnail
from siamese.preprocessing import Preprocessing

CROPPED = Preprocessing(image_size=224)
PADDED = Preprocessing(image_size=224, fit="pad")


def size_of_thumbnail(size: tuple[int, int], preprocessing: Preprocessing) -> tuple[int, int]:
    data = thumbnail(Image.new("RGB", size), preprocessing, quality=90)
    with Image.open(io.BytesIO(data)) as stored:
        assert stored.format == "JPEG"
        return stored.size


@pytest.mark.parametrize(
    ("picture", "preprocessing", "expected"),
    [
        ((4480, 2240), CROPPED, (448, 224)),
        ((2240, 4480), CROPPED, (224, 448)),
        ((2240, 1792), PADDED, (224, 179)),
        ((300, 224), CROPPED, (300, 224)),
    ],
)
def test_a_thumbnail_has_the_scale_at_which_the_encoder_saw_the_picture(
    picture: tuple[int, int], preprocessing: Preprocessing, expected: tuple[int, int]
) -> None:
    assert size_of_thumbnail(picture, preprocessing) == expected


def test_a_thumbnail_is_never_larger_than_the_picture() -> None:
    assert size_of_thumbnail((30, 20), CROPPED) == (30, 20)
    assert size_of_thumbnail((1, 1), PADDED) == (1, 1)


def test_a_thumbnail_can_be_recognised_where_the_encoder_saw_very_little() -> None:
    tiny_encoder = Preprocessing(image_size=32)
    assert size_of_thumbnail((2000, 1000), tiny_encoder) == (2 * SHORTER_SIDE, SHORTER_SIDE)
    assert size_of_thumbnail((3000, 1000), PADDED) == (3 * SHORTER_SIDE, SHORTER_SIDE)


@pytest.mark.parametrize("preprocessing", [CROPPED, PADDED])
def test_a_very_long_picture_has_a_thumbnail_too(preprocessing: Preprocessing) -> None:
    assert size_of_thumbnail((70_000, 300), preprocessing) == (LONGER_SIDE, 9)
    assert size_of_thumbnail((3, 70_000), preprocessing) == (1, LONGER_SIDE)


def test_a_thumbnail_shows_the_whole_picture_and_its_colours() -> None:
    picture = Image.new("RGB", (600, 300), "white")
    picture.paste("red", (0, 0, 300, 300))
    with Image.open(io.BytesIO(thumbnail(picture, CROPPED, quality=90))) as stored:
        left, right = stored.getpixel((50, 100)), stored.getpixel((400, 100))
    assert left == pytest.approx((255, 0, 0), abs=6)
    assert right == pytest.approx((255, 255, 255), abs=6)
