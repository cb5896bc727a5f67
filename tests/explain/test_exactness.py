"""Evidence is exact, for random encoders, grids, paddings and scorers: sums, gradients, symmetry, NaN."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor

from explain import maps
from explain.evidence import Evidence, Side, explain
from explain.maps import Pairs
from explain.scores import COSINE, Score
from tests.explain.encoded import Encoded, Image, Linear, encoded, explained, scores
from tests.explain.in_torch import in_torch
from tests.explain.local import has_embedding, pairs, unit_embedding

TOLERANCE = 1e-5
THRESHOLD = 0.8
VERDICTS = st.sampled_from(["same", "different", None])
many = settings(max_examples=150, deadline=None)


@many
@given(encoded())
def test_the_relevance_maps_of_each_image_sum_to_the_cosine(pair: Encoded) -> None:
    query, matched = pair.local_embeddings
    assume(has_embedding(query) and has_embedding(matched))
    evidence = explain(query, matched, of=COSINE)
    difference = unit_embedding(query) - unit_embedding(matched)
    for side in sides(evidence):
        assert net(side) == pytest.approx(1 - difference @ difference / 2, abs=tolerance(side))


@many
@given(explained(), VERDICTS)
def test_factual_less_counterfactual_sums_to_the_value_less_its_baseline(drawn, verdict) -> None:
    pair, of = drawn
    assume(of.adds_up and all(map(has_embedding, pair.local_embeddings)))
    evidence = explain(*pair.local_embeddings, of=of, threshold=THRESHOLD, verdict=verdict)
    for side, value in zip(sides(evidence), values(evidence), strict=True):
        margin = value - evidence.explained.baseline
        turned = -margin if verdict == "different" and of.label is None else margin
        assert net(side) == pytest.approx(turned, abs=tolerance(side))


@many
@given(explained())
def test_the_closed_form_is_autograd_at_the_local_embeddings_and_at_the_feature_map(drawn) -> None:
    pair, of = drawn
    known = Pairs.of(pair.local_embeddings[0], pair.local_embeddings[1][None])
    assume(differentiable(known, of))
    for bias in (None, pair.linear.bias):
        closed = maps.signed_maps(known, of.gradients(known), bias=bias)
        for side in (0, 1):
            expected = gradient_times_input(pair, of, side=side, at_body=bias is not None)
            scale = max(1.0, np.abs(expected).max())
            np.testing.assert_allclose(closed[side][0], expected, atol=TOLERANCE * scale)


@many
@given(explained(), VERDICTS)
def test_swapping_the_images_swaps_their_maps_and_their_numbers(drawn, verdict) -> None:
    pair, of = drawn
    there, back = (
        explain(*each.local_embeddings, of=of, threshold=THRESHOLD, verdict=verdict)
        for each in (pair, pair.swapped)
    )
    for ours, theirs in zip(sides(there), reversed(sides(back)), strict=True):
        for part in ("factual", "counterfactual"):
            np.testing.assert_allclose(getattr(ours, part), getattr(theirs, part), rtol=1e-5, atol=1e-6)
    assert values(there) == pytest.approx(values(back)[::-1], abs=1e-9)


@many
@given(pairs(), st.data(), VERDICTS)
def test_evidence_is_finite_and_disjoint_whatever_the_images(pair, data, verdict) -> None:
    """Zero maps, constant images, identical images, padding, and numbers up to a hundred."""
    of = data.draw(scores(pair[0].shape[-1]))
    evidence = explain(*pair, of=of, threshold=THRESHOLD, verdict=verdict)
    for side in sides(evidence):
        assert np.isfinite(side.factual).all() and np.isfinite(side.counterfactual).all()
        assert not (side.factual * side.counterfactual).any()
        if not all(map(has_embedding, pair)):
            assert not side.factual.any() and not side.counterfactual.any()


@many
@given(explained(), VERDICTS)
def test_of_identical_images_both_have_the_same_finite_maps_and_blank_ones_of_the_distance(
    drawn, verdict
) -> None:
    pair, of = drawn
    local = pair.local_embeddings[0]
    evidence = explain(local, local.copy(), of=of, threshold=THRESHOLD, verdict=verdict)
    for part in ("factual", "counterfactual"):
        ours, theirs = (getattr(side, part) for side in sides(evidence))
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-9)
        assert np.isfinite(ours).all() and not (of.of == "distance" and ours.any())


@many
@given(encoded(), st.floats(0.01, 100))
def test_the_length_of_an_embedding_is_no_reason(pair: Encoded, factor: float) -> None:
    """A score of unit embeddings does not change with the scale of the local embeddings, nor does its map."""
    query, matched = pair.local_embeddings
    plain, scaled = (explain(query, each) for each in (matched, (matched * factor).astype(np.float32)))
    for ours, theirs in zip(sides(plain), sides(scaled), strict=True):
        np.testing.assert_allclose(ours.factual, theirs.factual, atol=tolerance(ours))


def sides(evidence: Evidence) -> list[Side]:
    return [evidence.query, evidence.matched]


def values(evidence: Evidence) -> list[float]:
    """What the query's maps explain, and what the matched image's do."""
    value, of_query = evidence.explained.value, evidence.explained.query_value
    return [value if of_query is None else of_query, value]


def net(side: Side) -> float:
    return float(side.factual.sum(dtype=np.float64) - side.counterfactual.sum(dtype=np.float64))


def tolerance(side: Side) -> float:
    """1e-5, and as a share where cells cancel: a float32 map cannot be exacter than its own cells."""
    return TOLERANCE * max(1.0, float(side.factual.sum()))


def differentiable(known: Pairs, of: Score) -> bool:
    """Whether the score has a gradient: not at zero embeddings, a distance of zero, or a sign of zero."""
    if not maps.comparable(known).all():
        return False
    apart = np.abs(known.query_unit - known.matched_unit)
    smallest = {"distance": maps.distances(known).min(), "pair-head": apart.min()}
    return bool(smallest.get(of.of, 1.0) > 1e-4)


def gradient_times_input(pair: Encoded, of: Score, *, side: int, at_body: bool) -> NDArray[np.float64]:
    """By autograd in float64: Grad-CAM before its ReLU where all cells have the same gradient.

    At the feature map the cells in padding have none, which the mean over cells would spread over the others.
    """
    leaf, own = _run(pair.linear, (pair.query, pair.matched)[side], at_body=at_body)
    _, other = _run(pair.linear, (pair.matched, pair.query)[side], at_body=at_body)
    (gradient,) = torch.autograd.grad(in_torch(of)(own, other.detach()), leaf)
    if not at_body:
        gradient = gradient.mean(dim=(0, 1), keepdim=True)
    return (gradient * leaf).sum(dim=-1).detach().numpy()


def _run(linear: Linear, image: Image, *, at_body: bool) -> tuple[Tensor, Tensor]:
    """The leaf, (h, w, C) or (h, w, D), and the embedding before it is normalised."""
    local = torch.from_numpy(image.local_embeddings(linear)).double().requires_grad_()
    if not at_body:
        return local, local.mean(dim=(0, 1))
    features, weight, bias, weights = (
        torch.from_numpy(each).double()
        for each in (image.features, linear.weight, linear.bias, image.weights)
    )
    features.requires_grad_()
    return features, ((features @ weight.T + bias) * weights).mean(dim=(0, 1))
