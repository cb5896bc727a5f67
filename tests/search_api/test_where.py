"""Searches that are narrowed by attributes, over HTTP and on the command line, and how faults are told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from gallery.sources.kinds import source_of
from indexer.encoders import EncoderChoice
from indexer.indexing import index
from search_api.problems.refusals import PROBLEM_JSON
from tests.search_api.conftest import Workshop
from tests.toys import mean_colour_checkpoint, plain, png, write_folder

RED = ("red.png", png(plain("red")))
YEARS = {"red": 2020, "lime": 2021, "blue": 2022}


@pytest.fixture
def client(workshop: Workshop, tmp_path: Path) -> TestClient:
    write_folder(tmp_path / "pictures", {f"{each}.png": plain(each) for each in YEARS})
    rows = [f"pictures/{each}.png,{each},{year},{each}'s own" for each, year in YEARS.items()]
    listed = tmp_path / "images.csv"
    listed.write_text("\n".join(["path,label,year,the note", *rows, ""]), encoding="utf-8")
    checkpoint = mean_colour_checkpoint(tmp_path / "toy")
    choice = EncoderChoice(checkpoint=checkpoint, device="cpu")
    index(workshop.galleries, "default", [source_of(str(listed))], choice)
    return workshop.client()


def labels(client: TestClient, *where: str) -> list[str]:
    answer = client.post("/v1/search", files={"image": RED}, data={"where": list(where)})
    assert answer.status_code == 200, answer.text
    return [match["label"] for match in answer.json()["matches"]]


def test_conditions_in_words_and_as_json_narrow_a_search_alike(client: TestClient) -> None:
    assert set(labels(client, "year >= 2021")) == {"lime", "blue"}
    assert labels(client, "year >= 2021", "year < 2022") == ["lime"]
    said = [{"name": "year", "operator": ">=", "values": [2021]}, {"name": "label", "operator": "exists"}]
    assert set(labels(client, json.dumps(said))) == {"lime", "blue"}
    quoted = [{"name": "the note", "operator": "in", "values": ["red's own", "no other"]}]
    assert labels(client, json.dumps(quoted)) == ["red"]


def test_a_match_says_its_attributes_and_so_does_an_image(client: TestClient) -> None:
    (match,) = client.post("/v1/search", files={"image": RED}, data={"k": 1}).json()["matches"]
    assert match["attributes"] == {"the note": "red's own", "year": "2020"}
    image = client.get(f"/v1/images/{match['image_id']}").json()
    assert image["attributes"] == match["attributes"]


def test_a_gallery_says_what_there_is_to_ask_for(client: TestClient) -> None:
    note, year = client.get("/v1/galleries/default").json()["attributes"]
    assert (year["name"], year["least"], year["greatest"], year["numbers"]) == ("year", 2020, 2022, 3)
    assert note["values"] == {"blue's own": 1, "lime's own": 1, "red's own": 1}


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("yaer = 2020", "did you mean year"),
        ("year ~ 2020", "is not understood"),
        ('[{"name": "year", "operator": "like", "values": [1]}]', "0.operator"),
        ('[{"name": "year", "operator": "="}]', "takes one value, not 0"),
        ("[", "not understood"),
    ],
)
def test_what_is_no_condition_is_a_problem_in_one_sentence(client: TestClient, where: str, told: str) -> None:
    answer = client.post("/v1/search", files={"image": RED}, data={"where": where})
    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM_JSON)
    problem = answer.json()
    assert problem["type"] == "urn:whyalike:problem:invalid-filter" and told in problem["detail"]
