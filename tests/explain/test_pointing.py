"""Where the heat must point is known by hand: the local embedding of a cell is its mean colour.

Red, green and blue are perpendicular, so a red spot on green and a red spot on blue have their red in common
and nothing else.  Cells are 8 pixels, and the pictures are as large as the encoder's square, or larger by
whole cells, so that no pixel is interpolated.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from explain.evidence import Evidence, Verdict, explain
from explain.heatmap import paint, shared_scale
from explain.scores import COSINE, DISTANCE, Score
from siamese.encoder import Encoder
from tests.toys import CELL, mean_colour_encoder, mosaic

GRID = (4, 4)


def spotted(background: str, spot: tuple[int, int], *, rows: int = 4, columns: int = 4) -> Image.Image:
    """A picture of cells of one colour, but for a red one at (row, column)."""
    cells = [[background] * columns for _ in range(rows)]
    cells[spot[0]][spot[1]] = "red"
    return mosaic(cells, cell=CELL)


def evidence_between(
    encoder: Encoder,
    images: Sequence[Image.Image],
    *,
    of: Score = COSINE,
    threshold: float | None = None,
    verdict: Verdict | None = None,
) -> Evidence:
    embedded = encoder.embed([encoder.prepare(image) for image in images])
    return explain(*embedded.local_embeddings, of=of, threshold=threshold, verdict=verdict)


def hottest_cell(encoder: Encoder, image: Image.Image, grid: np.ndarray, scale: float) -> tuple[int, int]:
    """The cell of the picture, not of the grid, under the hottest pixel of the painted heat."""
    placement = encoder.preprocessing.placement(*image.size)
    heat = paint(grid, placement, size=image.size, scale=scale).heat
    row, column = np.unravel_index(np.argmax(heat), heat.shape)
    return int(row) // CELL, int(column) // CELL


def only(grid: np.ndarray) -> tuple[int, int]:
    """The one cell of a grid that is not 0."""
    ((row, column),) = np.argwhere(grid > 1e-6)
    return int(row), int(column)


def test_the_heat_points_at_the_red_spot_in_both_pictures_and_nowhere_else(tmp_path: Path) -> None:
    encoder = mean_colour_encoder(tmp_path, grid=GRID)
    evidence = evidence_between(encoder, [spotted("lime", (0, 1)), spotted("blue", (3, 2))])
    assert only(evidence.query.factual) == (0, 1)
    assert only(evidence.matched.factual) == (3, 2)
    # e_q = (1, 15, 0) / 16 and e_m = (1, 0, 15) / 16: the cosine is 1 / (1 + 15^2), all of it in that cell.
    assert evidence.explained.value == pytest.approx(1 / 226)
    assert evidence.query.factual[0, 1] == pytest.approx(1 / 226)
    assert evidence.matched.factual[3, 2] == pytest.approx(1 / 226)


def test_a_verdict_leaves_red_for_it_and_puts_every_other_cell_against_it(tmp_path: Path) -> None:
    encoder = mean_colour_encoder(tmp_path, grid=GRID)
    images = [spotted("lime", (0, 1)), spotted("blue", (3, 2))]
    threshold = np.sqrt(2 - 2 * 0.0016)  # the cosine there is 0.0016: 0.0001 for each cell
    evidence = evidence_between(encoder, images, threshold=threshold, verdict="same")
    assert only(evidence.query.factual) == (0, 1)
    assert evidence.query.factual[0, 1] == pytest.approx(1 / 226 - 0.0001, abs=1e-7)
    others = np.delete(evidence.query.counterfactual.ravel(), 1)
    np.testing.assert_allclose(others, 0.0001, atol=1e-7)


def test_the_distance_is_near_because_of_red_and_far_because_of_the_rest(tmp_path: Path) -> None:
    encoder = mean_colour_encoder(tmp_path, grid=GRID)
    images = [spotted("lime", (0, 1)), spotted("blue", (3, 2))]
    evidence = evidence_between(encoder, images, of=DISTANCE, threshold=1.4, verdict="different")
    for side, spot in ((evidence.query, (0, 1)), (evidence.matched, (3, 2))):
        assert only(side.counterfactual) == spot
        assert np.count_nonzero(side.factual) == 15


def test_swapping_the_pictures_swaps_the_heat(tmp_path: Path) -> None:
    encoder = mean_colour_encoder(tmp_path, grid=GRID)
    images = [spotted("lime", (0, 1)), spotted("blue", (3, 2))]
    there, back = evidence_between(encoder, images), evidence_between(encoder, images[::-1])
    np.testing.assert_allclose(there.query.factual, back.matched.factual, atol=1e-7)
    np.testing.assert_allclose(there.matched.factual, back.query.factual, atol=1e-7)


@pytest.mark.parametrize("shape", [(2, 4), (4, 2)])
def test_in_a_padded_picture_the_heat_points_at_the_spot_in_the_picture(tmp_path: Path, shape) -> None:
    encoder = mean_colour_encoder(tmp_path, grid=GRID, fit="pad")
    rows, columns = shape
    spot = (rows - 1, 0)
    images = [spotted("lime", spot, rows=rows, columns=columns), spotted("blue", (2, 3))]
    evidence = evidence_between(encoder, images)
    in_grid = (spot[0] + (4 - rows) // 2, spot[1] + (4 - columns) // 2)
    assert only(evidence.query.factual) == in_grid
    scale = shared_scale(evidence)
    assert hottest_cell(encoder, images[0], evidence.query.factual, scale) == spot
    assert hottest_cell(encoder, images[1], evidence.matched.factual, scale) == (2, 3)


def test_in_a_cropped_picture_the_heat_points_at_the_spot_and_the_margin_is_unseen(tmp_path: Path) -> None:
    encoder = mean_colour_encoder(tmp_path, grid=GRID)
    images = [spotted("lime", (1, 4), columns=8), spotted("blue", (2, 3))]
    evidence = evidence_between(encoder, images)
    assert only(evidence.query.factual) == (1, 2)  # two columns are cut off at the left, two at the right
    assert hottest_cell(encoder, images[0], evidence.query.factual, shared_scale(evidence)) == (1, 4)
    placement = encoder.preprocessing.placement(*images[0].size)
    seen = paint(evidence.query.factual, placement, size=images[0].size, scale=1.0).seen
    assert seen[:, 16:48].all() and not seen[:, :16].any() and not seen[:, 48:].any()


def test_a_spot_that_was_cut_off_is_no_reason(tmp_path: Path) -> None:
    encoder = mean_colour_encoder(tmp_path, grid=GRID)
    evidence = evidence_between(encoder, [spotted("lime", (1, 0), columns=8), spotted("blue", (2, 3))])
    assert evidence.explained.value == pytest.approx(0, abs=1e-9)
    placement = encoder.preprocessing.placement(64, 32)
    painted = paint(evidence.query.factual, placement, size=(64, 32), scale=shared_scale(evidence))
    assert not painted.heat.any()


def test_a_picture_of_one_colour_is_evidence_everywhere_alike(tmp_path: Path) -> None:
    encoder = mean_colour_encoder(tmp_path, grid=GRID)
    evidence = evidence_between(encoder, [mosaic([["red"] * 4] * 4, cell=CELL)] * 2)
    for side in (evidence.query, evidence.matched):
        np.testing.assert_allclose(side.factual, 1 / 16)
        assert not side.counterfactual.any()


def test_on_a_padded_picture_the_maps_add_up_and_padding_carries_nothing(tmp_path: Path) -> None:
    encoder = mean_colour_encoder(tmp_path, grid=GRID, fit="pad")
    evidence = evidence_between(encoder, [spotted("lime", (0, 0), rows=2), spotted("lime", (0, 0), rows=2)])
    for side in (evidence.query, evidence.matched):
        assert side.factual.sum() - side.counterfactual.sum() == pytest.approx(1, abs=1e-6)
        assert not side.factual[[0, 3]].any()
