import math

import numpy as np
import pytest
from PIL import ImageColor

from explain.correspondence_figure import (
    HEADER,
    LIST,
    MARGIN,
    MATCHED_AT,
    MOST,
    TILE,
    Link,
    correspondence_figure,
)
from explain.map_plot import COLOURS
from tests.explain.test_figure import match, shown

SQUARE = {"size": (100, 100)}


def link(query: tuple[float, float], matched: tuple[float, float], contribution: float = 0.5) -> Link:
    return Link(query, matched, contribution, 16**2 * contribution / 2, 0.9)


def drawn(*links: Link) -> np.ndarray:
    picture = shown("white", **SQUARE)
    return np.asarray(correspondence_figure(picture, match(1, picture), links, heading="answers"))


def colours_of(pixels: np.ndarray) -> set[int]:
    """Which lines were drawn, by their colours."""
    return {
        place
        for place, name in enumerate(COLOURS)
        if (pixels[HEADER : HEADER + TILE] == ImageColor.getrgb(name)).all(-1).any()
    }


def test_a_line_ends_on_the_spots_that_answer_each_other() -> None:
    pixels = drawn(link((0.25, 0.5), (0.75, 0.25)))
    blue = np.argwhere((pixels[HEADER : HEADER + TILE] == ImageColor.getrgb(COLOURS[0])).all(-1))
    assert blue[:, 1].min() == pytest.approx(MARGIN + 0.25 * TILE, abs=12)
    assert blue[:, 1].max() == pytest.approx(MATCHED_AT + 0.75 * TILE, abs=12)
    left, right = blue[blue[:, 1].argmin()], blue[blue[:, 1].argmax()]
    assert (left[0], right[0]) == (pytest.approx(TILE / 2, abs=12), pytest.approx(TILE / 4, abs=12))


def test_the_line_that_adds_more_is_thicker() -> None:
    pixels = drawn(link((0.5, 0.2), (0.5, 0.2), 0.8), link((0.5, 0.8), (0.5, 0.8), 0.1))
    between = pixels[HEADER : HEADER + TILE, MARGIN + TILE + 40]
    first, second = ((between == ImageColor.getrgb(name)).all(-1).sum() for name in COLOURS[:2])
    assert first > second >= 1


def test_a_line_beside_a_stronger_one_is_left_out_and_one_that_crosses_it_is_not() -> None:
    strong, beside, crossing = (
        link((0.2, 0.2), (0.2, 0.2)),
        link((0.25, 0.2), (0.25, 0.2), 0.4),
        link((0.2, 0.25), (0.2, 0.9), 0.3),
    )
    assert colours_of(drawn(strong, beside)) == {0}
    assert colours_of(drawn(strong, beside, crossing)) == {0, 1}


def test_no_more_lines_are_drawn_than_there_are_colours_to_tell_them_apart() -> None:
    around = [
        (0.5 + 0.45 * math.cos(angle), 0.5 + 0.45 * math.sin(angle)) for angle in np.linspace(0, 5.8, 12)
    ]
    assert colours_of(drawn(*(link(spot, spot) for spot in around))) == set(range(MOST))


def test_pictures_without_correspondences_say_so_and_nothing_is_drawn() -> None:
    pixels = drawn()
    assert colours_of(pixels) == set() and pixels.shape[0] == LIST + MARGIN


@pytest.mark.parametrize("times", [None, 4.0])
def test_a_wide_picture_shows_what_was_not_seen_of_it(times: float | None) -> None:
    wide = shown("red", size=(200, 100))
    figure = correspondence_figure(
        wide, match(1, wide), [Link((0.5, 0.5), (0.5, 0.5), 0.1, times, 0.5)], heading=""
    )
    middle = HEADER + TILE // 2 - 60
    assert figure.getpixel((MARGIN + TILE // 2, middle)) == (255, 0, 0)
    assert figure.getpixel((MARGIN + 8, middle)) != (255, 0, 0)


def test_lines_that_add_less_than_two_spots_do_on_average_are_left_out() -> None:
    weak = Link((0.5, 0.8), (0.5, 0.8), 0.001, 0.5, 0.9)
    assert colours_of(drawn(link((0.5, 0.2), (0.5, 0.2)), weak)) == {0}
    assert colours_of(drawn(weak)) == set()
