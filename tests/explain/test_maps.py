import numpy as np
import pytest
from hypothesis import assume, given

from explain import maps
from explain.errors import MapMismatch, NotFinite
from explain.maps import Pairs, distance_maps, relevance_maps, seen_cells
from tests.explain.local import Local, has_embedding, pairs, unit_embedding


@given(pairs())
def test_each_relevance_map_sums_to_the_cosine(pair: tuple[Local, Local]) -> None:
    query, matched = pair
    difference = np.linalg.norm(unit_embedding(query) - unit_embedding(matched))
    cosine = 1 - difference**2 / 2 if has_embedding(query) and has_embedding(matched) else 0
    for relevance in relevance_maps(query, matched):
        magnitude = max(1.0, np.abs(relevance).sum())  # cells that cancel cost digits
        assert relevance.sum() == pytest.approx(cosine, abs=1e-9 * magnitude)


@given(pairs())
def test_maps_of_the_distance_sum_to_zero_over_each_image(pair: tuple[Local, Local]) -> None:
    for signed in distance_maps(*pair):
        assert signed.sum() == pytest.approx(0, abs=1e-9 * max(1.0, np.abs(signed).sum()))


@given(pairs())
def test_maps_of_the_distance_are_blank_for_identical_images(pair: tuple[Local, Local]) -> None:
    for signed in distance_maps(pair[0], pair[0].copy()):
        assert not signed.any()


@given(pairs())
def test_cells_in_padding_are_zero_in_every_map(pair: tuple[Local, Local]) -> None:
    bias = np.ones(pair[0].shape[-1])
    for maps_of in (relevance_maps, distance_maps):
        for local, signed in zip(pair, maps_of(*pair, bias=bias), strict=True):
            assert not signed[~seen_cells(local)].any()


def test_an_embedding_that_is_only_the_rounding_of_cells_that_cancel_has_blank_maps() -> None:
    cancelling = np.array([[[100.0], [-100.0], [1e-40]]], np.float32)
    for signed in relevance_maps(cancelling, np.ones((2, 2, 1), np.float32)):
        assert not signed.any()


def test_the_bias_is_left_out_with_the_weight_that_padding_gave_to_the_cells_it_left() -> None:
    rng = np.random.default_rng(3)
    bias = rng.normal(size=4)
    features = rng.normal(size=(4, 2, 4))  # the feature map through the weights alone
    seen = np.array([[1, 1], [1, 0], [1, 1], [0, 0]], bool)[..., None]
    weight = seen * seen.size / seen.sum()
    query, matched = (features + bias) * weight, rng.normal(size=(3, 3, 4))
    gradient = maps.cosine_gradients(Pairs.of(query, matched[None])).query[0]
    with_no_bias = (features * weight) @ gradient / seen.size
    np.testing.assert_allclose(relevance_maps(query, matched, bias=bias)[0], with_no_bias)


def test_exact_embeddings_decide_the_gradient_where_they_are_known() -> None:
    rng = np.random.default_rng(4)
    query = rng.normal(0.5, 1, (3, 3, 8))
    stored = query + rng.normal(0, 0.01, query.shape)  # the same image, rounded by storage
    exact = unit_embedding(query)
    known = Pairs.of(query, stored[None], query_embedding=exact, matched_embeddings=exact[None])
    assert maps.distances(known) == 0
    assert not maps.distance_gradients(known).query.any()
    assert maps.distances(Pairs.of(query, stored[None])) > 0


def test_many_matches_at_once_are_each_as_alone() -> None:
    rng = np.random.default_rng(5)
    query, matched = rng.normal(size=(3, 4, 8)), rng.normal(size=(5, 2, 3, 8))
    together = Pairs.of(query, matched)
    for gradients, alone in (
        (maps.cosine_gradients(together), relevance_maps),
        (maps.distance_gradients(together), distance_maps),
    ):
        signed = maps.signed_maps(together, gradients)
        for match in range(5):
            for side in (0, 1):
                np.testing.assert_allclose(signed[side][match], alone(query, matched[match])[side])


@pytest.mark.parametrize("shapes", [((3, 3, 4), (3, 3, 5)), ((3, 3), (3, 3)), ((0, 3, 4), (3, 3, 4))])
def test_local_embeddings_that_do_not_belong_together_are_refused(shapes) -> None:
    with pytest.raises(MapMismatch, match="same D"):
        relevance_maps(np.ones(shapes[0]), np.ones(shapes[1]))


@given(pairs())
def test_local_embeddings_that_are_not_finite_are_refused(pair: tuple[Local, Local]) -> None:
    query, matched = pair
    assume(query.size)
    query[0, 0, 0] = np.nan
    with pytest.raises(NotFinite):
        relevance_maps(query, matched)
