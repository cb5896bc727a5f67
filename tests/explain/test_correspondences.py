import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explain.correspondences import Contributions, contributions, mutual_best
from explain.errors import MapMismatch
from explain.maps import relevance_maps, seen_cells
from gallery.segments.quantization import dequantize, quantize
from tests.explain.local import Local, pairs, unit_embedding
from tests.toys import mean_colour_encoder, mosaic

RED, BLUE, GREEN, GREY = "red", "blue", "lime", "gray"


def margins(found: Contributions) -> tuple[np.ndarray, np.ndarray]:
    query, matched = found.grids
    return found.matrix.sum(axis=1).reshape(query), found.matrix.sum(axis=0).reshape(matched)


@given(pairs())
def test_rows_and_columns_sum_to_the_relevance_maps_and_all_to_the_cosine(pair: tuple[Local, Local]) -> None:
    found = contributions(*pair)
    size = max(1.0, np.abs(found.matrix).sum())
    assert found.matrix.sum() == pytest.approx(found.value, abs=1e-9 * size)
    for margin, relevance in zip(margins(found), relevance_maps(*pair), strict=True):
        np.testing.assert_allclose(margin, relevance, atol=1e-9 * size)


@given(pairs())
def test_swapping_the_images_turns_the_matrix_around(pair: tuple[Local, Local]) -> None:
    there, back = contributions(*pair), contributions(*pair[::-1])
    np.testing.assert_allclose(there.matrix, back.matrix.T, atol=1e-9 * max(1.0, np.abs(there.matrix).max()))
    swapped = {(each.matched, each.query) for each in mutual_best(back)}
    assert {(each.query, each.matched) for each in mutual_best(there)} == swapped


@given(pairs())
def test_a_correspondence_is_mutual_adds_to_the_cosine_and_lies_in_no_padding(pair) -> None:
    found = contributions(*pair)
    seen = [seen_cells(local) for local in pair]
    for each in mutual_best(found):
        row = each.query[0] * found.grids[0][1] + each.query[1]
        column = each.matched[0] * found.grids[1][1] + each.matched[1]
        assert found.cosines[row].argmax() == column and found.cosines[:, column].argmax() == row
        assert each.contribution > 0 and 0 < each.cosine <= 1
        assert seen[0][each.query] and seen[1][each.matched]
        assert each.share is None or each.share == pytest.approx(each.contribution / found.value)
        if each.times_average is not None:
            cells = seen[0].sum() * seen[1].sum()
            assert each.times_average == pytest.approx(each.contribution / (found.matrix.sum() / cells))


@given(pairs())
def test_the_strongest_come_first_and_no_cell_answers_twice(pair: tuple[Local, Local]) -> None:
    found = mutual_best(contributions(*pair))
    assert found == sorted(found, key=lambda each: -each.contribution)
    for side in ("query", "matched"):
        assert len({getattr(each, side) for each in found}) == len(found)


@given(pairs(), st.randoms(use_true_random=False))
def test_moving_the_cells_of_an_image_moves_their_correspondences_with_them(pair, random) -> None:
    query, matched = pair
    height, width, dimension = matched.shape
    order = random.sample(range(height * width), height * width)
    moved = matched.reshape(-1, dimension)[order].reshape(matched.shape)
    there, then = contributions(query, matched), contributions(query, moved)
    size = max(1.0, np.abs(there.matrix).max())
    np.testing.assert_allclose(then.matrix, there.matrix[:, order], atol=1e-9 * size)
    expected = {
        (each.query, order.index(each.matched[0] * width + each.matched[1])) for each in mutual_best(there)
    }
    assert {(each.query, each.matched[0] * width + each.matched[1]) for each in mutual_best(then)} == expected


def test_two_patches_that_trade_places_answer_each_other_across_the_picture(tmp_path) -> None:
    encoder = mean_colour_encoder(tmp_path)
    rows = [[GREY] * 4, [RED, GREY, GREY, BLUE], [GREY] * 4, [GREY] * 4]
    traded = [rows[0], rows[1][::-1], *rows[2:]]
    query, matched = encoder.local_embeddings([encoder.prepare(mosaic(each)) for each in (rows, traded)])
    found = {each.query: each.matched for each in mutual_best(contributions(query, matched))}
    assert found == {
        (1, 0): (1, 3),
        (1, 3): (1, 0),
    }  # the lines cross, and grey, which is everywhere, has none


def test_a_dull_cell_finds_its_own_answer_beside_one_that_outshines_it(tmp_path) -> None:
    query = matched = np.array([[[9.0, 3.0], [0.1, 0.0]]])
    added = contributions(query, matched).matrix
    assert added[:, 0].min() > added[1, 1]  # by what it adds, the bright cell would answer the dull one too
    found = {each.query: each.matched for each in mutual_best(contributions(query, matched))}
    assert found == {(0, 0): (0, 0), (0, 1): (0, 1)}


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_an_image_of_one_colour_has_no_spot_that_answers_another(value: float) -> None:
    plain, other = np.full((3, 3, 4), value), np.random.default_rng(0).normal(size=(3, 3, 4))
    for pair in ((plain, plain), (plain, other), (other, plain)):
        assert mutual_best(contributions(*pair)) == []


def test_stored_as_int8_the_sums_are_those_of_the_exact_cosine() -> None:
    rng = np.random.default_rng(1)
    query, exact = rng.normal(0.4, 1, (2, 7, 7, 128)).astype(np.float32)
    embeddings = unit_embedding(query), unit_embedding(exact)
    stored = dequantize(*quantize(exact))
    found = contributions(query, stored, query_embedding=embeddings[0], matched_embedding=embeddings[1])
    assert found.value == pytest.approx(embeddings[0] @ embeddings[1], abs=1e-12)
    assert found.matrix.sum() == pytest.approx(found.value, abs=1e-12)
    for margin, relevance in zip(margins(found), relevance_maps(query, exact), strict=True):
        np.testing.assert_allclose(margin, relevance, atol=2e-4)


def test_contributions_of_other_grids_are_refused() -> None:
    with pytest.raises(MapMismatch, match="grids"):
        Contributions(((2, 2), (1, 1)), 0.0, np.zeros((4, 2)), np.zeros((4, 2)), 8)
    with pytest.raises(MapMismatch, match="same D"):
        contributions(np.ones((2, 2, 3)), np.ones((2, 2, 4)))
