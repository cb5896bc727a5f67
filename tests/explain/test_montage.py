import numpy as np
import pytest
from PIL import Image

from explain import colours
from explain.errors import NothingToDraw
from explain.judged import Judged, JudgedPair
from explain.montage import CELL, HEADER, MARGIN, SEAM, TILE, columns_for, pair_montage
from explain.panels import Shown
from siamese.preprocessing import Preprocessing


def shown(colour: str, *, label: str | None = "a") -> Shown:
    return Shown(Image.new("RGB", (40, 40), colour), Preprocessing().placement(40, 40), "a.png", label)


def pair(verdict: str | None = "same", *, same: bool | None = True) -> JudgedPair:
    return JudgedPair(shown("red"), shown("blue"), Judged(0.25, 0.75, 0.9, verdict), same)


def wrong_pixels(pairs: list[JudgedPair]) -> int:
    pixels = np.asarray(pair_montage(pairs, heading="", notes=("", "")))
    return int((pixels == colours.WRONG).all(axis=2).sum())


@pytest.mark.parametrize(
    ("verdict", "same", "right"),
    [
        ("same", True, True),
        ("different", False, True),
        ("same", False, False),
        ("different", True, False),
        ("same", None, None),
        (None, True, None),
    ],
)
def test_a_verdict_is_right_or_wrong_only_where_both_are_known(
    verdict: str | None, same: bool | None, right: bool | None
) -> None:
    assert pair(verdict, same=same).right is right


@pytest.mark.parametrize("count", [1, 3, 20, 100])
def test_both_pictures_of_every_pair_stand_beside_each_other(count: int) -> None:
    pixels = np.asarray(pair_montage([pair()] * count, heading="all are right"))
    for row in range((count - 1) // columns_for(count) + 1):
        line = pixels[HEADER + row * CELL + TILE // 2, MARGIN:]
        assert tuple(line[TILE // 2]) == (255, 0, 0) and tuple(line[TILE * 3 // 2 + SEAM]) == (0, 0, 255)


def test_a_wrong_pair_is_framed_and_a_right_one_is_not() -> None:
    assert wrong_pixels([pair(same=True)]) == 0
    assert wrong_pixels([pair(same=None)]) == 0
    assert wrong_pixels([pair(same=False)]) > 2 * TILE


def test_a_montage_of_nothing_is_refused() -> None:
    with pytest.raises(NothingToDraw):
        pair_montage([], heading="")
