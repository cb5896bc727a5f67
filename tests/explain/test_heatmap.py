import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from explain.errors import MapMismatch, NotFinite
from explain.evidence import Evidence, Explained, Side
from explain.heatmap import Heatmap, paint, shared_scale
from siamese.preprocessing import Placement, Preprocessing

SQUARE = Placement(64, 64, (0, 0, 64, 64))
GRIDS = npst.arrays(
    np.float32,
    st.tuples(st.integers(1, 8), st.integers(1, 8)),
    elements=st.floats(0, 1e6, width=32),
)


def evidence_of(*grids: np.ndarray) -> Evidence:
    query, matched = Side(grids[0], grids[1]), Side(grids[2], grids[3])
    return Evidence(query, matched, Explained("cosine", 0.5, 0.0, "relevance"))


@given(
    grid=GRIDS,
    width=st.integers(1, 200),
    height=st.integers(1, 200),
    fit=st.sampled_from(["crop", "pad"]),
    scale=st.floats(0, 1e6),
)
def test_heat_lies_in_0_to_1_whatever_the_grid_and_the_picture(grid, width, height, fit, scale) -> None:
    placement = Preprocessing(fit=fit).placement(width, height)
    painted = paint(grid, placement, size=(width, height), scale=scale)
    assert painted.heat.shape == painted.seen.shape == (height, width)
    assert painted.heat.dtype == np.float32
    assert not painted.heat[~painted.seen].any()


@given(GRIDS, st.floats(0, 1e6))
def test_blank_stays_blank(grid: np.ndarray, scale: float) -> None:
    assert not paint(np.zeros_like(grid), SQUARE, size=(31, 17), scale=scale).heat.any()
    assert not paint(grid, SQUARE, size=(31, 17), scale=0.0).heat.any()


def test_rounding_is_not_drawn_as_heat() -> None:
    noise = np.full((4, 4), 1e-9, np.float32)
    blank = np.zeros_like(noise)
    scale = shared_scale(evidence_of(noise, blank, blank, noise))
    assert not paint(noise, SQUARE, size=(8, 8), scale=scale).heat.any()


def test_a_cell_is_hottest_at_its_centre_at_full_heat() -> None:
    grid = np.zeros((4, 4), np.float32)
    grid[1, 2] = 0.25
    heat = paint(grid, SQUARE, size=(65, 65), scale=0.25 * 16).heat
    assert np.unravel_index(heat.argmax(), heat.shape) == pytest.approx((65 * 1.5 / 4, 65 * 2.5 / 4), abs=1)
    assert heat.max() == pytest.approx(1, abs=0.01)


def test_an_even_grid_paints_an_even_heat_whatever_its_number_of_cells() -> None:
    for cells in ((1, 1), (2, 3), (7, 7)):
        grid = np.full(cells, 0.3 / (cells[0] * cells[1]), np.float32)
        heat = paint(grid, SQUARE, size=(50, 40), scale=1.0).heat
        np.testing.assert_allclose(heat, 0.3, rtol=1e-5)


def test_padding_is_cut_away_and_a_picture_is_painted_where_it_was() -> None:
    grid = np.zeros((4, 4), np.float32)
    grid[1] = 1  # the upper half of a picture twice as wide as high
    heat = paint(grid, Preprocessing(fit="pad").placement(200, 100), size=(200, 100), scale=16.0).heat
    assert heat[25].min() > 0.99 and heat[75].max() < 0.01


def test_a_cropped_margin_is_not_seen() -> None:
    painted = paint(
        np.ones((2, 2), np.float32), Preprocessing().placement(200, 100), size=(100, 50), scale=4.0
    )
    assert not painted.seen[:, :25].any() and not painted.seen[:, 75:].any()
    assert painted.seen[:, 25:75].all()
    assert (painted.heat[:, 25:75] == 1).all()


def test_a_picture_too_long_to_be_square_is_painted_in_its_own_size() -> None:
    placement = Preprocessing(fit="pad").placement(100_000, 10)
    assert paint(np.ones((7, 7), np.float32), placement, size=(800, 1), scale=49.0).heat.shape == (1, 800)


def test_full_heat_is_the_greatest_density_of_both_images_and_both_signs() -> None:
    coarse, fine = np.full((1, 2), 0.1, np.float32), np.full((3, 3), 0.05, np.float32)
    blank, blank_fine = np.zeros_like(coarse), np.zeros_like(fine)
    assert shared_scale(evidence_of(coarse, blank, blank_fine, fine)) == pytest.approx(0.45)
    assert shared_scale(evidence_of(coarse, blank, blank_fine, blank_fine)) == pytest.approx(0.2)
    assert shared_scale(evidence_of(blank, blank, blank_fine, blank_fine)) == 0


def test_a_grid_that_is_not_finite_is_refused() -> None:
    with pytest.raises(NotFinite):
        paint(np.full((2, 2), np.nan, np.float32), SQUARE, size=(4, 4), scale=1.0)


def test_heat_beyond_its_range_or_of_another_shape_is_refused() -> None:
    seen = np.ones((2, 2), bool)
    for heat in (np.full((2, 2), 1.1, np.float32), np.full((2, 2), np.nan, np.float32)):
        with pytest.raises(NotFinite):
            Heatmap(heat, seen)
    with pytest.raises(MapMismatch):
        Heatmap(np.zeros((2, 3), np.float32), seen)
