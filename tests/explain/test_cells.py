import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explain.cells import Box, grid_box, layout
from siamese.preprocessing import Placement, Preprocessing

SIDES = st.integers(1, 400)
FITS = st.sampled_from(["crop", "pad"])


@given(SIDES, SIDES, FITS, st.integers(1, 9), st.integers(1, 9))
def test_cells_cover_the_seen_picture_once_and_never_leave_it(width, height, fit, rows, columns) -> None:
    placement = Preprocessing(fit=fit).placement(width, height)
    laid = layout(placement, (rows, columns))
    assert laid.areas.sum() == pytest.approx(1) and (laid.areas >= 0).all()
    for cell in ((0, 0), (rows - 1, columns - 1)):
        box = laid.box(cell)
        assert 0 <= box.left <= box.right <= 1 and 0 <= box.top <= box.bottom <= 1
    if fit == "pad":
        assert (laid.rows[0], laid.rows[-1], laid.columns[0], laid.columns[-1]) == (0, 1, 0, 1)


def test_a_cell_of_a_cropped_picture_lies_within_the_square_that_was_kept() -> None:
    placement = Placement(200, 100, (50, 0, 150, 100))
    assert grid_box(placement) == Box(0.25, 0, 0.75, 1)
    assert layout(placement, (2, 2)).box((0, 1)) == Box(0.5, 0, 0.75, 0.5)
    assert layout(placement, (2, 2)).box((0, 1)).centre == (0.625, 0.25)


def test_padding_covers_nothing_and_what_lies_beside_it_is_known() -> None:
    placement = Placement(100, 50, (0, -25, 100, 75))  # a quarter above and below is padding
    laid = layout(placement, (4, 4))
    np.testing.assert_allclose(laid.areas[:, 0], [0, 1 / 8, 1 / 8, 0])
    assert laid.padded and laid.beside_padding.all()
    fine = layout(placement, (8, 8))
    assert fine.beside_padding[:, 0].tolist() == [True, True, True, False, False, True, True, True]
    assert not layout(Placement(200, 100, (50, 0, 150, 100)), (4, 4)).padded
