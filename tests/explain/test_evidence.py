import numpy as np
import pytest

from explain.errors import ExplainError, MapMismatch, NotFinite
from explain.evidence import Evidence, Explained, Side, explain, explain_matches
from explain.scores import DISTANCE, SCORES
from gallery.segments.quantization import dequantize, quantize
from tests.explain.local import Local, unit_embedding

THRESHOLD = 0.8
COSINE_AT_THRESHOLD = 1 - 0.8**2 / 2


def sides(evidence: Evidence) -> list[Side]:
    return [evidence.query, evidence.matched]


def net(side: Side) -> float:
    return float(side.factual.sum(dtype=np.float64) - side.counterfactual.sum(dtype=np.float64))


def random_local(seed: int, *shape: int) -> Local:
    return np.random.default_rng(seed).normal(0.4, 1, shape).astype(np.float32)


@pytest.mark.parametrize(("verdict", "sign"), [("same", 1), ("different", -1)])
def test_on_each_image_factual_less_counterfactual_is_the_margin_to_the_verdict(verdict, sign) -> None:
    evidence = explain(
        random_local(0, 7, 7, 32), random_local(1, 5, 6, 32), threshold=THRESHOLD, verdict=verdict
    )
    assert evidence.explained.baseline == pytest.approx(COSINE_AT_THRESHOLD)
    for side in sides(evidence):
        margin = evidence.explained.value - evidence.explained.baseline
        assert net(side) == pytest.approx(sign * margin, abs=1e-5)


def test_without_a_verdict_the_maps_add_up_to_the_cosine_itself() -> None:
    evidence = explain(random_local(0, 7, 7, 32), random_local(1, 7, 7, 32), threshold=THRESHOLD)
    assert evidence.explained.baseline == 0
    for side in sides(evidence):
        assert net(side) == pytest.approx(evidence.explained.value, abs=1e-5)


@pytest.mark.parametrize("usual", [-0.2, 0.0, 0.3, 0.9])
def test_without_a_verdict_the_maps_add_up_to_the_margin_over_what_is_usual(usual: float) -> None:
    pair = random_local(0, 7, 7, 32), random_local(1, 5, 6, 32)
    evidence = explain(*pair, usual=usual)
    assert (evidence.explained.baseline, evidence.explained.baseline_from) == (usual, "gallery")
    for side in sides(evidence):
        assert net(side) == pytest.approx(evidence.explained.value - usual, abs=1e-5)
    judged = explain(*pair, usual=usual, threshold=THRESHOLD, verdict="same").explained
    assert (judged.baseline, judged.baseline_from) == (pytest.approx(COSINE_AT_THRESHOLD), "threshold")
    distance = explain(*pair, of=DISTANCE, usual=usual).explained
    assert (distance.baseline, distance.baseline_from) == (0, "none")


def test_the_verdict_different_trades_factual_for_counterfactual() -> None:
    pair = random_local(0, 4, 4, 8), random_local(1, 4, 4, 8)
    same = explain(*pair, threshold=THRESHOLD, verdict="same")
    different = explain(*pair, threshold=THRESHOLD, verdict="different")
    for one, other in zip(sides(same), sides(different), strict=True):
        np.testing.assert_array_equal(one.factual, other.counterfactual)
        np.testing.assert_array_equal(one.counterfactual, other.factual)


def test_what_raises_the_distance_is_factual_for_different_and_counterfactual_for_same() -> None:
    red, blue, half = [1.0, 0.0], [0.0, 1.0], [0.5, 0.5]
    query, matched = np.array([[red, half]]), np.array([[blue, half]])
    different = explain(query, matched, of=DISTANCE, threshold=0.5, verdict="different")
    same = explain(query, matched, of=DISTANCE, threshold=0.5, verdict="same")
    for side in sides(different):
        assert side.factual[0, 0] > 0 and side.factual[0, 1] == 0
    for side in sides(same):
        assert side.counterfactual[0, 0] > 0 and side.counterfactual[0, 1] == 0


def test_the_baseline_is_spread_over_seen_cells_only() -> None:
    query, matched = random_local(0, 4, 4, 8), random_local(1, 4, 4, 8)
    query[2:] = 0
    evidence = explain(query, matched, threshold=THRESHOLD, verdict="same")
    assert not evidence.query.factual[2:].any() and not evidence.query.counterfactual[2:].any()
    assert net(evidence.query) == pytest.approx(net(evidence.matched), abs=1e-5)


def test_evidence_from_int8_adds_up_to_the_number_of_the_exact_embeddings() -> None:
    query, matched = random_local(0, 7, 7, 128), random_local(1, 7, 7, 128)
    embeddings = unit_embedding(query), unit_embedding(matched)
    stored = dequantize(*quantize(matched))
    evidence = explain(
        query,
        stored,
        threshold=THRESHOLD,
        verdict="same",
        query_embedding=embeddings[0],
        matched_embedding=embeddings[1],
    )
    assert evidence.explained.value == pytest.approx(embeddings[0] @ embeddings[1], abs=1e-9)
    exact = explain(query, matched, threshold=THRESHOLD, verdict="same")
    for side, other in zip(sides(evidence), sides(exact), strict=True):
        assert net(side) == pytest.approx(evidence.explained.value - COSINE_AT_THRESHOLD, abs=1e-5)
        np.testing.assert_allclose(side.factual, other.factual, atol=2e-4)


def test_an_identical_image_stored_as_int8_has_blank_maps_of_the_distance() -> None:
    query = random_local(0, 7, 7, 128)
    embedding = unit_embedding(query)
    stored = dequantize(*quantize(query))
    evidence = explain(query, stored, of=DISTANCE, query_embedding=embedding, matched_embedding=embedding)
    assert evidence.explained.value == 0
    for side in sides(evidence):
        assert not side.factual.any() and not side.counterfactual.any()


def test_matches_explained_together_are_each_as_alone() -> None:
    query, matched = random_local(0, 7, 7, 16), random_local(1, 5, 3, 3, 16)
    verdicts = ["same", None, "different", "same", None]
    together = explain_matches(query, matched, threshold=THRESHOLD, verdicts=verdicts)
    for match, verdict, evidence in zip(matched, verdicts, together, strict=True):
        alone = explain(query, match, threshold=THRESHOLD, verdict=verdict)
        assert alone.explained.baseline == evidence.explained.baseline
        assert alone.explained.value == pytest.approx(evidence.explained.value)
        np.testing.assert_allclose(evidence.matched.factual, alone.matched.factual, atol=1e-7)
        np.testing.assert_allclose(evidence.query.counterfactual, alone.query.counterfactual, atol=1e-7)


def test_no_match_has_no_evidence() -> None:
    assert explain_matches(random_local(0, 3, 3, 4), np.zeros((0, 3, 3, 4), np.float32)) == []


def test_evidence_names_the_number_the_baseline_and_the_method() -> None:
    pair = random_local(0, 3, 3, 8), random_local(1, 3, 3, 8)
    cosine = explain(*pair, of=SCORES["cosine"], threshold=THRESHOLD, verdict="same").explained
    distance = explain(*pair, of=SCORES["distance"], threshold=THRESHOLD, verdict="same").explained
    assert (cosine.of, cosine.method) == ("cosine", "relevance")
    assert (distance.of, distance.method, distance.baseline) == ("distance", "grad-cam", 0)
    assert cosine.value == pytest.approx(1 - distance.value**2 / 2)


def test_a_verdict_without_its_threshold_is_refused() -> None:
    with pytest.raises(ExplainError, match="threshold"):
        explain(random_local(0, 3, 3, 8), random_local(1, 3, 3, 8), verdict="same")


def test_a_verdict_too_few_is_refused() -> None:
    with pytest.raises(MapMismatch, match="2 matches, 1 verdicts"):
        explain_matches(random_local(0, 3, 3, 8), random_local(1, 2, 3, 3, 8), verdicts=[None])


def test_maps_that_are_negative_or_not_finite_are_refused() -> None:
    fine = np.ones((2, 2), np.float32)
    for wrong in (-fine, fine * np.nan, fine * np.inf):
        with pytest.raises(NotFinite):
            Side(wrong, fine)
    with pytest.raises(MapMismatch):
        Side(fine, fine[:1])
    with pytest.raises(NotFinite):
        Explained("cosine", float("nan"), 0.0, "relevance")
