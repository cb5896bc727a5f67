"""Evidence of the heads: the maps of a pair's logit, and of one label's score, add up and stay finite."""

from __future__ import annotations

import numpy as np
import pytest

from explain.errors import ExplainError
from explain.evidence import Explained, Side, explain
from explain.scores import ClassScore, PairHeadLogit
from gallery.segments.quantization import dequantize, quantize
from siamese.heads import ClassHead, PairHead
from tests.explain.local import Local, unit_embedding

LABELS = ("daisy", "rose", "tulip")


def net(side: Side) -> float:
    return float(side.factual.sum(dtype=np.float64) - side.counterfactual.sum(dtype=np.float64))


def random_local(seed: int, *shape: int) -> Local:
    return np.random.default_rng(seed).normal(0.4, 1, shape).astype(np.float32)


def pair_head(dimension: int, *, seed: int = 0) -> PairHead:
    drawn = np.random.default_rng(seed).normal(size=(2, dimension)).astype(np.float32)
    return PairHead(-np.abs(drawn[0]), drawn[1], 0.7)


def logit_of(head: PairHead) -> PairHeadLogit:
    return PairHeadLogit(head.difference, head.product, head.bias)


def class_head(dimension: int) -> ClassHead:
    drawn = np.random.default_rng(1).normal(size=(len(LABELS), dimension + 1)).astype(np.float32)
    return ClassHead(LABELS, drawn[:, :-1], drawn[:, -1])


def tulip_score(head: ClassHead) -> ClassScore:
    return ClassScore.against_others("tulip", labels=head.labels, weight=head.weight, bias=head.bias)


@pytest.mark.parametrize(("verdict", "sign"), [("same", 1), ("different", -1), (None, 1)])
def test_on_each_image_the_maps_of_the_pair_head_sum_to_its_logit(verdict, sign) -> None:
    query, matched = random_local(0, 7, 7, 32), random_local(1, 5, 6, 32)
    head = pair_head(32)
    evidence = explain(query, matched, of=logit_of(head), verdict=verdict)
    logit = head.logits(unit_embedding(query), unit_embedding(matched))
    assert evidence.explained.value == pytest.approx(float(logit))
    explained = evidence.explained
    baseline_from = "threshold" if verdict else "none"
    assert explained == Explained("pair-head", explained.value, 0.0, "relevance", baseline_from=baseline_from)
    for side in (evidence.query, evidence.matched):
        assert net(side) == pytest.approx(sign * logit, abs=1e-5)


@pytest.mark.parametrize("verdict", ["same", "different", None])
def test_the_maps_of_a_label_sum_to_each_images_own_score_whatever_the_verdict(verdict) -> None:
    query, matched = random_local(0, 7, 7, 32), random_local(1, 5, 6, 32)
    head = class_head(32)
    evidence = explain(query, matched, of=tulip_score(head), verdict=verdict)
    own, other = (
        logits[2] - logits[:2].mean() for logits in map(head.logits, map(unit_embedding, (query, matched)))
    )
    explained = evidence.explained
    assert (explained.of, explained.label, explained.baseline) == ("class", "tulip", 0)
    assert (explained.query_value, explained.value) == (pytest.approx(own), pytest.approx(other))
    assert net(evidence.query) == pytest.approx(own, abs=1e-5)
    assert net(evidence.matched) == pytest.approx(other, abs=1e-5)


def test_the_difference_is_traced_to_the_cells_that_differ() -> None:
    """Red against half blue: only the blue half of the matched image speaks for "different"."""
    red, blue = [1.0, 0.0], [0.0, 1.0]
    head = PairHeadLogit(np.array([-4.0, -4.0]), np.array([0.0, 0.0]), 0.0)
    evidence = explain(np.array([[red, red]]), np.array([[red, blue]]), of=head, verdict="different")
    assert evidence.explained.value < 0
    assert evidence.matched.factual[0, 1] > 0 == evidence.matched.factual[0, 0]
    assert evidence.query.factual[0, 0] == evidence.query.factual[0, 1] > 0


def test_what_the_other_image_contributes_alone_is_spread_evenly_over_seen_cells() -> None:
    query, matched = random_local(0, 4, 4, 8), random_local(1, 4, 4, 8)
    query[2:] = 0
    head = pair_head(8)
    raised = PairHeadLogit(head.difference, head.product, head.bias + 80.0)
    plain, lifted = (explain(query, matched, of=of, verdict="same").query for of in (logit_of(head), raised))
    more = (lifted.factual - lifted.counterfactual) - (plain.factual - plain.counterfactual)
    np.testing.assert_allclose(more[:2], 80 / 8, rtol=1e-5)
    assert not more[2:].any()


def test_of_identical_images_the_difference_has_no_sign() -> None:
    """As int8 stores them, the cells differ; their embeddings do not."""
    query = random_local(0, 5, 5, 16)
    embedding = unit_embedding(query)
    stored = dequantize(*quantize(query))
    only_difference = PairHeadLogit(np.full(16, -9.0), np.zeros(16), 0.5)
    evidence = explain(
        query, stored, of=only_difference, query_embedding=embedding, matched_embedding=embedding
    )
    assert evidence.explained.value == 0.5
    for side in (evidence.query, evidence.matched):
        np.testing.assert_allclose(side.factual, 0.5 / 25, rtol=1e-6)
        assert not side.counterfactual.any()


def test_evidence_from_int8_adds_up_to_the_logit_of_the_exact_embeddings() -> None:
    query, matched = random_local(0, 7, 7, 128), random_local(1, 7, 7, 128)
    embeddings = unit_embedding(query), unit_embedding(matched)
    head = pair_head(128)
    evidence = explain(
        query,
        dequantize(*quantize(matched)),
        of=logit_of(head),
        query_embedding=embeddings[0],
        matched_embedding=embeddings[1],
    )
    assert evidence.explained.value == pytest.approx(float(head.logits(*embeddings)), abs=1e-9)
    assert net(evidence.matched) == pytest.approx(evidence.explained.value, abs=1e-5)


def test_a_label_that_the_head_does_not_know_is_refused() -> None:
    head = class_head(8)
    with pytest.raises(ExplainError, match="no label “mauve”"):
        ClassScore.against_others("mauve", labels=head.labels, weight=head.weight, bias=head.bias)


def test_of_a_head_with_one_label_the_score_is_its_logit() -> None:
    score = ClassScore.against_others("tulip", labels=["tulip"], weight=np.ones((1, 4)), bias=np.ones(1))
    assert (score.weight == 1).all() and score.bias == 1


def test_the_number_of_a_label_is_told_of_both_images() -> None:
    with pytest.raises(ValueError, match="of the query too"):
        Explained("class", 0.5, 0.0, "relevance", label="tulip")
