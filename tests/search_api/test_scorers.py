"""Scorers, heads and calibrations, by an encoder whose heads are written by hand."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from gallery.builds.build import Build
from gallery.index.candidates import Candidate, Proposal
from search_api.errors import InvalidQuestion, NoSuchHead, UnknownLabel
from search_api.matches.choosing import Choice
from search_api.matches.rescoring import rescore
from search_api.queries.subjects import Upload
from search_api.schemas.evidence import SideSchema
from search_api.schemas.search import MatchSchema
from search_api.scoring import PairHeadScorer
from siamese.checkpoint import with_calibration
from siamese.heads import Heads, HeadsRecord, PairHead
from tests.search_api.conftest import COLOURS, HALF_RED, Workshop
from tests.toys import (
    BLUE_PAIRS,
    UNFITTED,
    colour_labels,
    fitted_at,
    mean_colour_encoder,
    plain,
    png,
    put_heads,
)

RED = Upload(png(plain("red")), "red.png")
NEARLY_RED = Upload(png(plain("#fe0000")), "nearly.png")
HALF = Upload(png(HALF_RED), "half.png")
HEADS = Heads(BLUE_PAIRS, colour_labels())
SHOWN = fitted_at(0.5).model_copy(update={"fitted_on": "shown"})


def names(matches: list[MatchSchema]) -> list[str]:
    return [Path(match.uri or "").name for match in matches]


def net(side: SideSchema) -> float:
    return float(np.sum(side.factual) - np.sum(side.counterfactual))


@pytest.fixture
def client(workshop: Workshop) -> TestClient:
    workshop.publish(calibration=fitted_at(1.0), heads=HEADS)
    return workshop.client()


def test_a_pair_head_orders_by_its_logit_then_by_distance_then_by_image_id(workshop: Workshop) -> None:
    workshop.publish(heads=HEADS)
    answer = workshop.searcher().search(HALF, scorer="pair-head")
    assert names(answer.matches[:2]) == ["blue.png", "half.png"]
    assert set(names(answer.matches[2:4])) == {"red.png", "copy.png"}
    assert names(answer.matches[4:]) == ["lime.png"]
    assert (answer.matches[2].image_id or 0) < (answer.matches[3].image_id or 0)
    assert [match.distance for match in answer.matches[2:]] == pytest.approx([0.765, 0.765, 1.414], abs=1e-3)


def test_groups_by_a_scorer_that_reorders_end_where_nothing_passes(workshop: Workshop) -> None:
    workshop.publish(heads=HEADS, calibration=fitted_at(1.0))
    answer = workshop.searcher().search(
        RED, k=1, candidates=1, scorer="pair-head", same_only=True, choice=Choice(group_by="label")
    )
    assert [match.group.name for match in answer.matches if match.group] in ([], ["red"])


def test_what_a_pair_head_says_is_its_logit_its_sigmoid_and_whether_that_is_at_least_one_half(
    workshop: Workshop,
) -> None:
    workshop.publish(heads=HEADS)
    answer = workshop.searcher().search(HALF, scorer="pair-head")
    logits = [12 / math.sqrt(2) - 3, 3, -3, -3, -3]
    assert [match.score for match in answer.matches] == pytest.approx(logits, abs=1e-5)
    sigmoids = [1 / (1 + math.exp(-logit)) for logit in logits]
    assert [match.probability for match in answer.matches] == pytest.approx(sigmoids, abs=1e-5)
    assert [match.verdict for match in answer.matches] == ["same"] * 2 + ["different"] * 3


def test_every_answer_names_its_scorer_and_what_that_was_fitted_on(workshop: Workshop) -> None:
    workshop.publish(calibration=fitted_at(1.0), heads=HEADS)
    searcher = workshop.searcher()
    plainly, by_head = searcher.search(RED), searcher.search(RED, scorer="pair-head")
    assert (plainly.scorer, plainly.threshold, plainly.calibration.pairs) == ("distance", 1.0, 100)
    assert [match.score for match in plainly.matches] == [match.distance for match in plainly.matches]
    assert (by_head.scorer, by_head.threshold, by_head.calibration.pairs) == ("pair-head", None, 200)
    assert (by_head.calibration.fitted_on, by_head.calibration.reason) == ("pair", None)
    compared = searcher.comparer.compare(RED, HALF, scorer="pair-head")
    assert (compared.scorer, compared.score, compared.verdict) == ("pair-head", -3, "different")


@pytest.mark.parametrize("calibration", [UNFITTED, fitted_at(1.0)])
def test_evidence_follows_the_scorer_unless_another_number_is_asked_for(
    workshop: Workshop, calibration: Any
) -> None:
    workshop.publish(calibration=calibration, heads=HEADS)
    searcher = workshop.searcher()
    for match in searcher.search(HALF, scorer="pair-head").matches:
        explained = match.evidence.explained
        assert (explained.of, explained.value) == ("pair-head", pytest.approx(match.score, abs=1e-9))
        assert explained.baseline == 0
        sign = 1 if match.verdict == "same" else -1
        for side in (match.evidence.query, match.evidence.matched):
            assert net(side) == pytest.approx(sign * match.score, abs=1e-5)
    other = searcher.search(HALF, scorer="pair-head", of="cosine").matches[0].evidence.explained
    assert (other.of, other.baseline) == ("cosine", 0)
    by_distance = searcher.search(HALF, of="pair-head").matches[0].evidence.explained
    assert (by_distance.of, by_distance.value) == ("pair-head", pytest.approx(3))


def test_evidence_of_the_pair_head_points_at_what_it_looks_at(workshop: Workshop) -> None:
    """The head asks for blue, so what makes half red, half blue the same as blue is its right half."""
    workshop.publish(heads=HEADS)
    match = workshop.searcher().search(Upload(png(plain("#0000fe"))), scorer="pair-head").matches[1]
    assert names([match]) == ["half.png"]
    matched = np.array(match.evidence.matched.factual)
    assert matched[:, 2:].min() > 0 == matched[:, :2].max()


def test_the_class_head_is_explained_for_the_label_that_it_gives_the_query(workshop: Workshop) -> None:
    workshop.publish(calibration=fitted_at(1.0), heads=HEADS)
    matches = {names([each])[0]: each for each in workshop.searcher().search(NEARLY_RED, of="class").matches}
    for match in matches.values():
        explained = match.evidence.explained
        assert (explained.of, explained.label, explained.baseline) == ("class", "red", 0)
        assert net(match.evidence.query) == pytest.approx(explained.query_value, abs=1e-5)
        assert net(match.evidence.matched) == pytest.approx(explained.value, abs=1e-5)
    assert matches["red.png"].evidence.explained.value == pytest.approx(10)
    assert matches["blue.png"].evidence.explained.value == pytest.approx(-5)
    half = np.array(matches["half.png"].evidence.matched.factual)
    assert half[:, :2].min() > 0 == half[:, 2:].max()


@pytest.mark.parametrize(("scorer", "of"), [("pair-head", "cosine"), ("distance", "pair-head")])
def test_a_number_that_is_not_the_scorers_own_is_explained_without_its_verdict(
    workshop: Workshop, scorer: Any, of: Any
) -> None:
    workshop.publish(calibration=fitted_at(0.5), heads=HEADS)
    matches = workshop.searcher().search(HALF, scorer=scorer, of=of).matches
    assert {match.verdict for match in matches} == {"same", "different"}
    for match in matches:
        explained = match.evidence.explained
        assert (explained.of, explained.baseline) == (of, 0)
        assert net(match.evidence.query) == pytest.approx(explained.value, abs=1e-5)
        assert net(match.evidence.matched) == pytest.approx(explained.value, abs=1e-5)


def test_the_distance_beside_a_pair_head_is_read_as_for_same_too(workshop: Workshop) -> None:
    workshop.publish(calibration=fitted_at(1.0), heads=HEADS)
    searcher = workshop.searcher()
    by_head = searcher.comparer.compare(RED, HALF, scorer="pair-head", of="distance")
    by_distance = searcher.comparer.compare(RED, HALF, of="distance")
    assert (by_head.verdict, by_distance.verdict) == ("different", "same")
    assert by_head.evidence == by_distance.evidence


def test_keys_of_the_class_head_are_there_only_where_it_is_explained(workshop: Workshop) -> None:
    workshop.publish(heads=HEADS)
    searcher = workshop.searcher()
    explained = searcher.search(RED).model_dump()["matches"][0]["evidence"]["explained"]
    assert list(explained) == ["of", "value", "baseline", "baseline_from", "method"]
    explained = searcher.search(RED, of="class").model_dump()["matches"][0]["evidence"]["explained"]
    assert list(explained) == ["of", "value", "baseline", "baseline_from", "method", "label", "query_value"]
    assert "prefilter" not in searcher.search(RED).model_dump()


def test_a_scorer_that_reorders_sees_more_candidates(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop.publish(heads=HEADS)
    searcher = workshop.searcher(candidates=4, max_candidates=7)
    counts: list[int] = []
    exact = Build.propose

    def counting(build: Build, embedding: Any, *, count: int, **options: Any) -> Proposal:
        counts.append(count)
        return exact(build, embedding, count=count, **options)

    monkeypatch.setattr(Build, "propose", counting)
    assert names(searcher.search(HALF, k=1).matches) == ["half.png"]
    assert names(searcher.search(HALF, k=1, scorer="pair-head", candidates=1).matches) == ["half.png"]
    assert names(searcher.search(HALF, k=1, scorer="pair-head").matches) == ["blue.png"]
    searcher.search(HALF, k=5, scorer="pair-head")
    searcher.search(HALF, k=1, candidates=3)
    assert counts == [2, 1, 4, 10, 3]
    for wrong in (1, 8):
        with pytest.raises(InvalidQuestion, match=f"at least the 2 .* at most 7, but they are {wrong}"):
            searcher.search(HALF, k=2, candidates=wrong)


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(0, 20))
def test_a_pair_head_permutes_the_candidates_and_never_invents(seed: int, count: int) -> None:
    drawn = np.random.default_rng(seed).normal(size=(count + 3, 8))
    difference, product, query, *rest = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(
        np.float32
    )
    scorer = PairHeadScorer(PairHead(difference, product, 0.1), HeadsRecord(digest=""))
    candidates = [Candidate(image_id, 0.5) for image_id in range(1, count + 1)]
    exact = np.array(rest, np.float32).reshape(count, 8)
    matches = rescore(query, candidates, exact, scorer)
    assert sorted(match.image_id for match in matches) == [each.image_id for each in candidates]
    scores = [match.scored.score for match in matches]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize(
    ("asked", "head"),
    [
        ({"scorer": "pair-head"}, "pair head"),
        ({"of": "pair-head"}, "pair head"),
        ({"of": "class"}, "class head"),
        ({"prefilter": "label"}, "class head"),
    ],
)
def test_an_encoder_without_the_head_says_so_and_how_to_get_one(
    workshop: Workshop, asked: dict[str, Any], head: str
) -> None:
    workshop.publish()
    with pytest.raises(NoSuchHead, match=f"“mean-colour” has no {head}; `whyalike train` learns one"):
        workshop.searcher().search(RED, **asked)


def test_why_training_left_the_pair_head_out_is_told(workshop: Workshop) -> None:
    workshop.publish()
    searcher = workshop.searcher()
    with searcher.builds.lend(None) as (build, _):
        put_heads(build.checkpoint, Heads(classes=colour_labels()), reason="there were 3 pairs")
    with pytest.raises(NoSuchHead, match=r"no pair head \(there were 3 pairs\);"):
        searcher.search(RED, scorer="pair-head")


def test_a_prefilter_narrows_to_the_label_of_the_query_and_says_which(workshop: Workshop) -> None:
    workshop.publish(heads=HEADS)
    answer = workshop.searcher().search(Upload(png(plain("#f00070"))), prefilter="label")
    assert {match.label for match in answer.matches} == {"red"} and len(answer.matches) == 3
    assert answer.prefilter is not None and answer.prefilter.label == "red"
    reds = math.exp(10 * 240 / math.hypot(240, 112))
    others = 1 + math.exp(10 * 112 / math.hypot(240, 112))
    assert answer.prefilter.probability == pytest.approx(reds / (reds + others), abs=1e-5)


def test_a_prefilter_with_a_label_that_the_gallery_has_not_is_refused(workshop: Workshop) -> None:
    workshop.publish(heads=Heads(classes=colour_labels(blue="cobalt")))
    searcher = workshop.searcher()
    with pytest.raises(UnknownLabel, match="“cobalt”, which the class head gives the query"):
        searcher.search(Upload(png(plain("blue"))), prefilter="label")
    with pytest.raises(InvalidQuestion, match="not both"):
        searcher.search(RED, prefilter="label", labels=["red"])


def test_a_search_is_judged_as_shown_pairs_are_and_a_comparison_as_balanced_ones(workshop: Workshop) -> None:
    workshop.publish(calibration=fitted_at(1.0), heads=HEADS)
    searcher = workshop.searcher()
    with searcher.builds.lend(None) as (build, _):
        with_calibration(build.checkpoint, fitted_at(1.0), shown=SHOWN)
    found, compared = searcher.search(RED), searcher.comparer.compare(RED, HALF)
    assert (found.threshold, found.calibration.fitted_on) == (0.5, "shown")
    assert (compared.threshold, compared.calibration.fitted_on) == (1.0, "pair")
    match = found.matches[2]
    assert names([match]) == ["half.png"]
    assert (match.verdict, compared.verdict) == ("different", "same")
    baselines = match.evidence.explained.baseline, compared.evidence.explained.baseline
    assert baselines == (pytest.approx(1 - 0.5**2 / 2), pytest.approx(0.5))
    as_shown = searcher.comparer.compare(RED, HALF, calibration="shown")
    assert (as_shown.verdict, as_shown.evidence) == (match.verdict, match.evidence)


def test_an_open_build_notices_that_its_checkpoint_was_replaced(workshop: Workshop) -> None:
    workshop.publish(calibration=fitted_at(1.0))
    searcher = workshop.searcher()
    assert searcher.search(RED).threshold == 1.0
    with searcher.builds.lend(None) as (build, before):
        with_calibration(build.checkpoint, fitted_at(0.7), shown=before.record.shown)
        assert before.record.calibration.threshold == 1.0
    assert searcher.search(RED).threshold == 0.7
    put_heads(build.checkpoint, HEADS)
    assert searcher.search(RED, scorer="pair-head").threshold is None
    (build.checkpoint / "checkpoint.json").unlink()
    assert searcher.search(RED).threshold == 0.7


def test_an_encoder_compares_by_its_pair_head_without_a_gallery(workshop: Workshop, tmp_path: Path) -> None:
    encoder = mean_colour_encoder(tmp_path)
    put_heads(tmp_path / "mean-colour.checkpoint", HEADS)
    searcher = workshop.searcher()
    with pytest.raises(NoSuchHead):
        searcher.comparer.compare_each_by(encoder, RED, [HALF], scorer="pair-head")
    encoder = type(encoder).load(tmp_path / "mean-colour.checkpoint", device="cpu")
    answers = searcher.comparer.compare_each_by(encoder, HALF, [RED, HALF], scorer="pair-head")
    assert [answer.verdict for answer in answers] == ["different", "same"]


def test_over_http_the_scorer_and_the_prefilter_are_fields(client: TestClient) -> None:
    data = {"scorer": "pair-head", "prefilter": "label", "k": 2, "candidates": 3}
    answer = client.post("/v1/search", files={"image": ("red.png", RED.data)}, data=data).json()
    assert (answer["scorer"], answer["prefilter"]["label"]) == ("pair-head", "red")
    assert [match["label"] for match in answer["matches"]] == ["red", "red"]
    assert answer["matches"][0]["evidence"]["explained"]["of"] == "pair-head"
    files = {"a": ("a.png", RED.data), "b": ("b.png", HALF.data)}
    pair = client.post("/v1/compare", files=files, data={"scorer": "pair-head", "calibration": "shown"})
    assert (pair.json()["scorer"], pair.json()["score"]) == ("pair-head", -3)


def test_a_gallery_says_what_its_encoder_can_judge_by(client: TestClient, workshop: Workshop) -> None:
    detail = client.get("/v1/galleries/default").json()
    assert (detail["scorers"], detail["class_head"]) == (["distance", "pair-head"], True)
    workshop.publish("plain")
    detail = client.get("/v1/galleries/plain").json()
    assert (detail["scorers"], detail["class_head"]) == (["distance"], False)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ({"scorer": "mood"}, "invalid-request"),
        ({"prefilter": "mood"}, "invalid-request"),
        ({"scorer": "pair-head"}, "no-such-head"),
        ({"prefilter": "label"}, "no-such-head"),
        ({"explained": "class"}, "no-such-head"),
        ({"candidates": 100_000}, "invalid-question"),
    ],
)
def test_what_a_gallery_cannot_be_asked_is_a_problem(
    workshop: Workshop, data: dict[str, Any], kind: str
) -> None:
    workshop.publish()
    response = workshop.client().post("/v1/search", files={"image": ("red.png", RED.data)}, data=data)
    assert (response.status_code, response.json()["type"]) == (422, f"urn:whyalike:problem:{kind}")


def test_an_overlay_is_painted_as_the_search_explains_the_match(
    client: TestClient, workshop: Workshop
) -> None:
    found = client.post("/v1/search", files={"image": ("half.png", HALF.data)}, data={"scorer": "pair-head"})
    blue, half = (match["image_id"] for match in found.json()["matches"][:2])
    address = f"/v1/images/{blue}/overlay?query={half}&build=1"
    tags = [client.get(f"{address}{more}").headers["etag"] for more in ("", "&scorer=pair-head")]
    with workshop.searcher().builds.lend(None) as (build, _):
        with_calibration(build.checkpoint, fitted_at(1.0), shown=SHOWN)
    assert len({*tags, client.get(address).headers["etag"]}) == 3
    assert len(COLOURS) == len(found.json()["matches"])
