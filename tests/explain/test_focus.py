import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from explain.errors import MapMismatch
from explain.focus import BLANK, CARRIED, PLACES, Focus, focus
from siamese.preprocessing import Placement, Preprocessing

WHOLE = Placement(90, 90, (0, 0, 90, 90))
MAPS = npst.arrays(
    np.float32, st.tuples(st.integers(1, 8), st.integers(1, 8)), elements=st.floats(0, 9, width=32)
)


def at(*cells: tuple[int, int], shape: tuple[int, int] = (9, 9)) -> Focus:
    grid = np.zeros(shape, np.float32)
    for cell in cells:
        grid[cell] = 1
    return focus(grid, WHOLE)


@pytest.mark.parametrize("row", [0, 1, 2])
@pytest.mark.parametrize("column", [0, 1, 2])
def test_a_single_spot_is_found_where_it_lies(row: int, column: int) -> None:
    found = at((3 * row + 1, 3 * column + 1))
    assert found.place == PLACES[row][column]
    assert (found.share, found.area) == (1.0, pytest.approx(1 / 81))
    assert found.concentration == pytest.approx(80 / 81)


def test_a_place_is_told_of_the_whole_picture_and_not_of_the_part_that_was_seen() -> None:
    grid = np.array([[1.0, 0.0], [0.0, 0.0]])
    assert focus(grid, Placement(100, 100, (0, 0, 100, 100))).place == "upper left"
    assert focus(grid, Placement(300, 100, (100, 0, 200, 100))).place == "upper centre"


def test_an_even_map_lies_all_over_and_is_not_concentrated() -> None:
    found = focus(np.ones((10, 10), np.float32), WHOLE)
    assert found.concentration == pytest.approx(0, abs=1e-12)
    assert found.share == found.area == pytest.approx(CARRIED)
    even = np.ones((7, 7)) + np.random.default_rng(0).uniform(0, 0.1, (7, 7))
    assert focus(even, WHOLE).place == "all over"
    assert focus(np.ones((1, 1), np.float32), WHOLE) == Focus(1.0, 1.0, "all over", 0.0)


def test_no_single_place_is_told_of_what_lies_apart() -> None:
    assert at((0, 0), (0, 8), (8, 0), (8, 8)).place == "towards the edges"
    assert at((4, 1), (4, 7)).place == "in several places"  # its middle, the centre, is cold


def test_the_fewest_cells_are_taken_by_how_much_they_carry_for_their_area() -> None:
    grid = np.array([[5.0, 3.0, 1.0, 1.0]])
    found = focus(grid, Placement(80, 20, (0, 0, 80, 20)))
    assert (found.share, found.area, found.place) == (pytest.approx(0.8), 0.5, "centre left")


@given(MAPS, st.sampled_from(["crop", "pad"]), st.integers(1, 300), st.integers(1, 300))
def test_a_focus_carries_enough_on_no_more_area_than_an_even_map_needs(grid, fit, width, height) -> None:
    placement = Preprocessing(fit=fit).placement(width, height)
    found = focus(grid, placement)
    if found.blank:
        assert found == BLANK
        return
    assert CARRIED - 1e-6 <= found.share <= 1 and 0 < found.area <= found.share + 1e-9
    assert found.concentration is not None and 0 <= found.concentration <= 1
    again = focus(grid * np.float32(2), placement)
    assert (again.area, again.place) == (pytest.approx(found.area), found.place)


def test_a_blank_map_has_no_focus() -> None:
    assert focus(np.zeros((7, 7), np.float32), WHOLE) == BLANK and BLANK.blank
    rounding = np.random.default_rng(0).uniform(0, 1e-9, (7, 7))  # which is not drawn as heat either
    assert focus(rounding, WHOLE) == BLANK


def test_mass_in_padding_is_none() -> None:
    above = np.zeros((4, 4), np.float32)
    above[0] = 1
    assert focus(above, Placement(100, 50, (0, -25, 100, 75))).blank


def test_what_is_no_map_is_refused() -> None:
    with pytest.raises(MapMismatch, match=r"\(h, w\)"):
        focus(np.ones(3), WHOLE)
