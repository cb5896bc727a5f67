"""Without labels evidence is measured from what is usual in the gallery, and a match has its place in it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from explain.chances import percentage_below
from explain.standings import IN_WORDS
from gallery.builds import usual as measuring
from gallery.usual import FEWEST
from siamese.calibration import Calibration
from siamese.heads import Heads
from tests.search_api.conftest import HALF_RED, Workshop
from tests.toys import BLUE_PAIRS, UNFITTED, fitted_at, plain, png

HALF = FEWEST // 2
TWO_COLOURS = {
    **{f"a/red{shade}.png": plain(f"rgb(255, {shade}, 0)") for shade in range(HALF)},
    **{f"b/blue{shade}.png": plain(f"rgb(0, {shade}, 255)") for shade in range(HALF)},
}
"""Half of the pairs and a little more are at a cosine of 0, and every picture's nearest is at almost 1."""


def service(workshop: Workshop, *, calibration: Calibration = UNFITTED, **more: Any) -> TestClient:
    workshop.publish(pictures=TWO_COLOURS, calibration=calibration, **more)
    return workshop.client()


def asked(client: TestClient, path: str = "/v1/search", **data: Any) -> dict[str, Any]:
    files = {"image": png(HALF_RED)} if path == "/v1/search" else {"a": png(HALF_RED), "b": png(plain("red"))}
    response = client.post(path, files=files, data=data)
    assert response.status_code == 200, response.text
    return dict(response.json())


def net(match: dict[str, Any], side: str) -> np.ndarray:
    maps = match["evidence"][side]
    return np.array(maps["factual"]) - np.array(maps["counterfactual"])


def test_without_labels_the_maps_add_up_to_the_margin_over_what_is_usual(workshop: Workshop) -> None:
    for match in asked(service(workshop))["matches"]:
        explained = match["evidence"]["explained"]
        assert explained["baseline_from"] == "gallery"
        assert explained["baseline"] == pytest.approx(0.5, abs=0.01)
        for side in ("query", "matched"):
            assert net(match, side).sum() == pytest.approx(
                explained["value"] - explained["baseline"], abs=1e-5
            )


def test_the_half_that_a_match_does_not_have_speaks_against_it(workshop: Workshop) -> None:
    match = asked(service(workshop))["matches"][0]
    shared, other = net(match, "query")[:, :2], net(match, "query")[:, 2:]
    if "blue" in match["uri"]:
        shared, other = other, shared
    assert (shared > 0).all()
    assert (other < 0).all()


def test_a_match_says_how_many_pairs_of_the_gallery_are_less_alike(workshop: Workshop) -> None:
    client = service(workshop)
    match = asked(client)["matches"][0]
    assert match["cosine"] == pytest.approx(np.sqrt(0.5), abs=0.01)
    assert match["closer_than"] == pytest.approx(0.53, abs=0.03)  # 100 of 190 pairs are of two colours
    assert (match["closer_than_nearest"], match["closeness"]) == (0, "far")  # all have one at almost 1
    assert match["reason"]["text"].startswith(f"{IN_WORDS['far']} (closer than 0 % of nearest pairs): ")
    itself = client.post("/v1/search", files={"image": png(plain("rgb(255, 3, 0)"))}).json()["matches"][0]
    assert 0.99 < itself["closer_than"] < 1
    assert (itself["closeness"], itself["closer_than_nearest"]) == ("close", pytest.approx(20 / 21))


def doubts(match: dict[str, Any]) -> list[str]:
    return [warning["code"] for warning in match["reason"]["warnings"]]


def test_where_even_the_best_match_is_far_a_search_says_that_perhaps_nothing_is_alike(
    workshop: Workshop,
) -> None:
    client = service(workshop)
    first, *others = asked(client, k=3)["matches"]
    assert "far" in doubts(first)
    assert not any("far" in doubts(each) for each in others)
    compared = asked(client, "/v1/compare")
    assert compared["closeness"] == "far" and "far" not in doubts(compared)
    near = client.post("/v1/search", files={"image": png(plain("rgb(255, 3, 1)"))}).json()["matches"]
    assert near[0]["distance"] > 0 and not any("far" in doubts(each) for each in near)


def test_beyond_the_picture_itself_the_next_match_is_the_best(workshop: Workshop) -> None:
    workshop.publish(pictures={**TWO_COLOURS, "c/green.png": plain("rgb(0, 255, 0)")})
    client = workshop.client()
    answer = client.post("/v1/search", files={"image": png(plain("rgb(0, 255, 0)"))}).json()
    itself, best, *others = answer["matches"]
    assert itself["distance"] == 0 and "far" not in doubts(itself)
    assert "far" in doubts(best) and not any("far" in doubts(each) for each in others)


def test_by_a_build_that_does_not_know_its_nearest_pairs_it_is_said_as_before(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "LARGEST", 0)
    match = asked(service(workshop))["matches"][0]
    assert (match["closer_than_nearest"], match["closeness"]) == (None, None)
    assert match["reason"]["text"].startswith(
        "More alike than two images of this gallery usually are (closer than "
        f"{percentage_below(match['closer_than'])} of pairs): "
    )
    assert "far" not in doubts(match)


def test_a_pair_that_is_no_more_alike_than_others_is_told_so(workshop: Workshop) -> None:
    client = service(workshop)
    response = client.post("/v1/compare", files={"a": png(plain("red")), "b": png(plain("blue"))}).json()
    assert response["closer_than"] == 0
    assert response["reason"]["text"] == (
        f"{IN_WORDS['far']} (closer than 0 % of nearest pairs): no part of either picture makes them alike."
    )


def test_a_calibrated_encoder_explains_its_verdict_as_before_and_says_where_a_match_stands(
    workshop: Workshop,
) -> None:
    match = asked(service(workshop, calibration=fitted_at(0.8)))["matches"][0]
    explained = match["evidence"]["explained"]
    assert (explained["baseline_from"], explained["baseline"]) == ("threshold", pytest.approx(0.68))
    assert match["closer_than"] is not None
    assert match["closeness"] == "far"
    assert "gallery" not in match["reason"]["text"] and "far" not in doubts(match)


def test_the_cosine_beside_another_scorers_verdict_is_measured_from_the_gallery(workshop: Workshop) -> None:
    client = service(workshop, heads=Heads(pair=BLUE_PAIRS))
    own = asked(client, scorer="pair-head")["matches"][0]["evidence"]["explained"]
    other = asked(client, scorer="pair-head", explained="cosine")["matches"][0]["evidence"]["explained"]
    assert (own["baseline_from"], own["baseline"]) == ("threshold", 0)
    assert (other["baseline_from"], other["baseline"]) == ("gallery", pytest.approx(0.5, abs=0.01))
    distance = asked(client, explained="distance")["matches"][0]["evidence"]["explained"]
    assert (distance["baseline_from"], distance["baseline"]) == ("none", 0)


def test_several_pictures_together_are_beside_no_pair(workshop: Workshop) -> None:
    client = service(workshop)
    ids = [match["image_id"] for match in asked(client, k=2)["matches"]]
    queries = json.dumps([{"image_id": each} for each in ids])
    answer = client.post("/v1/search", data={"queries": queries})
    assert answer.status_code == 200, answer.text
    for match in answer.json()["matches"]:
        assert match["closer_than"] is None
        assert match["evidence"]["explained"]["baseline_from"] == "none"


def test_a_gallery_of_few_images_has_no_usual(workshop: Workshop) -> None:
    workshop.publish()
    match = asked(workshop.client())["matches"][0]
    assert match["closer_than"] is None
    assert match["evidence"]["explained"]["baseline_from"] == "none"
    assert match["evidence"]["explained"]["baseline"] == 0


def test_two_uploads_are_compared_by_the_gallery_and_drawn_from_its_baseline(workshop: Workshop) -> None:
    answer = asked(service(workshop), "/v1/compare")
    assert answer["evidence"]["explained"]["baseline_from"] == "gallery"
    assert (net(answer, "query")[:, 2:] < 0).all()
