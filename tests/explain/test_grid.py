import numpy as np
import pytest
from PIL import Image

from explain import colours
from explain.errors import NothingToDraw
from explain.grid import CELL, GUTTER, HEADER, MARGIN, TILE, columns_for, comparison_grid
from explain.judged import CHIP, Judged, JudgedImage, draw_verdict
from explain.panels import Shown
from siamese.preprocessing import Preprocessing

VERDICTS = ("same", "different", None)


def shown(colour: str = "gray", *, name: str = "a.png") -> Shown:
    return Shown(Image.new("RGB", (40, 40), colour), Preprocessing().placement(40, 40), name)


def compared(verdict: str | None = "same", *, name: str = "a.png", colour: str = "red") -> JudgedImage:
    judged = Judged(0.25, 0.75, None if verdict is None else 0.9, verdict)
    return JudgedImage(shown(colour, name=name), judged)


@pytest.mark.parametrize("count", [1, 2, 7, 50])
def test_every_image_stands_in_its_cell_in_the_order_given(count: int) -> None:
    pixels = np.asarray(comparison_grid(shown(), [compared()] * count, heading="by an encoder"))
    columns = columns_for(count)
    for place in range(columns * (1 + (count - 1) // columns)):
        row, column = divmod(place, columns)
        middle = pixels[HEADER + row * CELL + TILE // 2, MARGIN + column * (TILE + GUTTER) + TILE // 2]
        assert (tuple(middle) == (255, 0, 0)) == (place < count)


def test_fifty_images_make_a_picture_that_a_screen_can_show() -> None:
    figure = comparison_grid(shown(), [compared()] * 50, heading="")
    assert max(figure.size) < 3000


def test_verdicts_are_told_apart_without_colour() -> None:
    drawn = []
    for verdict in VERDICTS:
        canvas = Image.new("RGB", (120, CHIP), colours.PAPER)
        draw_verdict(canvas, (0, 0), verdict)
        drawn.append(np.asarray(canvas.convert("L")) < 160)
    filled, outlined, unjudged = (each.mean() for each in drawn)
    assert filled > 2 * outlined > 2 * unjudged


@pytest.mark.parametrize("name", ["x" * 300, "ж" * 300, "new\nline"])
def test_a_long_name_stays_within_its_cell(name: str) -> None:
    pixels = np.asarray(comparison_grid(shown(name=name), [compared(name=name)], heading=name))
    beside = pixels[HEADER:, MARGIN + TILE + 2 : MARGIN + TILE + GUTTER]
    assert (beside == colours.PAPER).all()


@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_pair_without_a_verdict_can_be_drawn(verdict: str | None) -> None:
    assert comparison_grid(shown(), [compared(verdict)], heading="", note="nothing was fitted").mode == "RGB"


def test_a_grid_of_nothing_is_refused() -> None:
    with pytest.raises(NothingToDraw):
        comparison_grid(shown(), [], heading="")
