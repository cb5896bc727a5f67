"""What if, and faithfulness on request, over HTTP: answered where it is asked for, and only there."""

from __future__ import annotations

import base64
import threading
from io import BytesIO

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from search_api.evidence import hiding
from search_api.evidence.hiding_words import area, told, warning
from search_api.loaded.encoders import InTurn
from search_api.schemas.hiding import LeftSchema
from search_api.scoring import Scored
from tests.search_api.conftest import HALF_RED, Workshop
from tests.toys import fitted_at, plain, png

RED = ("red.png", png(plain("red")), "image/png")
HALF = ("half.png", png(HALF_RED), "image/png")
NEARLY = 0.77
"""A threshold at which half a red picture is just the same as a red one, at 0.765."""


@pytest.fixture
def client(workshop: Workshop) -> TestClient:
    workshop.publish(calibration=fitted_at(NEARLY))
    return workshop.client()


def test_hiding_what_is_alike_leaves_less_of_the_match_and_turns_its_verdict(client: TestClient) -> None:
    answer = client.post("/v1/compare", files={"a": HALF, "b": RED}, data={"what_if": "true"}).json()
    tried = answer["what_if"]
    assert answer["verdict"] == "same" and tried["hidden"]["distance"] > answer["distance"]
    assert tried["hidden"]["probability"] < answer["probability"]
    assert tried["smallest"]["verdict"] == "different"
    assert 0 < tried["smallest"]["area"] <= tried["hidden"]["area"] < 1
    assert tried["seen_in"] == "upload" and "picture" not in tried and "faithfulness" not in answer
    assert f"{100 * tried['smallest']['area']:.0f} %" in tried["text"]


def test_maps_are_tested_against_chance_on_both_pictures(client: TestClient) -> None:
    files, data = {"a": HALF, "b": RED}, {"faithfulness": "true"}
    answer = client.post("/v1/compare", files=files, data=data).json()
    query, matched = (answer["faithfulness"][side] for side in ("query", "matched"))
    assert query["deletion"] < query["random_deletion"] and query["insertion"] > query["random_insertion"]
    assert query["beats_random"] > 0.75
    assert matched["beats_random"] < 0.75, "a picture of one colour has no part that counts more"
    assert [each["code"] for each in answer["faithfulness"]["warnings"]] == ["unfaithful"]
    assert "the match" in answer["faithfulness"]["warnings"][0]["text"]
    again = client.post("/v1/compare", files=files, data=data).json()
    assert again["faithfulness"] == answer["faithfulness"] and "what_if" not in answer


def test_an_image_of_the_gallery_is_looked_at_again_and_drawn(client: TestClient) -> None:
    matches = client.post("/v1/search", files={"image": HALF}, data={"k": "5"}).json()["matches"]
    ids = {match["uri"].rsplit("/", 1)[-1]: match["image_id"] for match in matches}
    data = {"a_image_id": ids["half.png"], "b_image_id": ids["red.png"], "what_if": "true"}
    answer = client.post("/v1/compare", data={**data, "overlays": "true"}).json()
    assert answer["what_if"]["seen_in"] == "original"
    drawn = base64.b64decode(answer["what_if"]["picture"].split(",")[1])
    assert Image.open(BytesIO(drawn)).size == (448, 448)


def test_nothing_is_looked_at_again_where_nobody_asks(client: TestClient) -> None:
    answer = client.post("/v1/compare", files={"a": HALF, "b": RED}).json()
    assert not {"what_if", "faithfulness"} & answer.keys()


def test_without_a_verdict_there_is_nothing_to_flip(workshop: Workshop) -> None:
    workshop.publish()
    files = {"a": HALF, "b": RED}
    answer = workshop.client().post("/v1/compare", files=files, data={"what_if": "true"}).json()
    assert answer["what_if"]["flips"] is answer["what_if"]["smallest"] is None
    assert "no verdict" in answer["what_if"]["text"]


def test_evidence_of_another_number_than_the_verdicts_is_not_hidden(workshop: Workshop) -> None:
    from tests.toys import BLUE_PAIRS, Heads, colour_labels

    workshop.publish(calibration=fitted_at(NEARLY), heads=Heads(BLUE_PAIRS, colour_labels()))
    client, files = workshop.client(), {"a": HALF, "b": RED}
    data = {"what_if": "true", "explained": "class"}
    refused = client.post("/v1/compare", files=files, data=data)
    assert refused.status_code == 422 and "class" in refused.json()["detail"]
    by_head = {"what_if": "true", "faithfulness": "true", "scorer": "pair-head"}
    answered = client.post("/v1/compare", files=files, data=by_head)
    assert answered.status_code == 200 and answered.json()["what_if"]["hidden"]["area"] >= 0


def test_searches_are_answered_between_the_looks_of_a_trial() -> None:
    slots = threading.BoundedSemaphore(1)
    held = []

    class Looking:
        def embed_directed(self, prepared: object) -> object:
            held.append(not slots.acquire(blocking=False))
            return prepared

    looks = InTurn(Looking(), slots)
    for batch in ([1], [2]):
        looks.embed_directed(batch)
        assert slots.acquire(blocking=False), "the slot is free again"
        slots.release()
    assert held == [True, True]


def test_a_trial_that_gets_no_turn_is_refused(
    workshop: Workshop, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hiding, "PATIENCE", 0.01)
    turns = workshop.searchers[-1].trials._trials
    asked = {"files": {"a": HALF, "b": RED}, "data": {"what_if": "true"}}
    with turns:
        refused = client.post("/v1/compare", **asked)
        assert client.post("/v1/search", files={"image": RED}).status_code == 200
    assert refused.status_code == 503 and refused.json()["type"].endswith(":trials-busy")
    assert client.post("/v1/compare", **asked).status_code == 200, "and then it has its turn"


def test_a_small_part_is_not_told_as_nothing() -> None:
    assert area(left(0.003, 1, None, None)) == "less than 1 %"
    assert area(left(0, 1, None, None)) == "0 %" and area(left(0.006, 1, None, None)) == "1 %"


def left(area: float, distance: float, chance: float | None, verdict: str | None) -> LeftSchema:
    return LeftSchema(
        area=area, distance=distance, similarity=1 - distance, probability=chance, verdict=verdict
    )


SAME = Scored(0.1, 0.1, 0.97, "same")


@pytest.mark.parametrize(
    ("before", "after", "smallest", "said"),
    [
        (SAME, left(0.4, 1.0, 0.2, "different"), left(0.1, 0.9, 0.4, "different"),
         "With the 40 % of the query hidden that speak for “same”, the probability of same goes from 97.0 % "
         "to 20.0 % and the verdict becomes “different”; hiding 10 % of the query is enough."),
        (SAME, left(0.4, 0.3, 0.8, "same"), None,
         "Even with all 40 % of the query hidden that speak for “same”, the verdict stays “same”: the "
         "probability of same goes from 97.0 % to 80.0 %."),
        (SAME, left(0.4, 0.3, 0.8, "same"), left(0.1, 0.9, 0.4, "different"),
         "With all 40 % of the query hidden that speak for “same”, the verdict stays “same”, but to flip it "
         "hiding 10 % of the query is enough."),
        (Scored(0.1, 0.1, None, None), left(0.4, 0.3, None, None), None,
         "With the 40 % of the query hidden that speak for “same”, the similarity goes from 0.900 to 0.700; "
         "there is no verdict to flip."),
        (SAME, left(0, 0.1, 0.97, "same"), None,
         "Nothing in the query speaks for the verdict, so nothing was hidden."),
    ],
)  # fmt: skip
def test_what_came_of_it_is_one_sentence(
    before: Scored, after: LeftSchema, smallest: LeftSchema | None, said: str
) -> None:
    assert told(before, after, smallest) == said


def test_a_warning_names_the_picture_that_it_is_of() -> None:
    assert "on the query" in warning([True, False]).text and "both pictures" in warning([True, True]).text
