"""What people say of pairs: a pair judged wrong is left out, whichever of both is asked with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from gallery.judgements import Judgements
from search_api.matches.choosing import Choice
from search_api.matches.ranking import Wish
from search_api.queries.subjects import Part, Stored, Upload
from search_api.regions import Region
from search_api.search import Searcher
from tests.search_api.conftest import Workshop
from tests.toys import plain, png

RED = Upload(png(plain("red")), "red.png")
NEARLY = Upload(png(plain("#fe0000")), "nearly.png")


def ids(searcher: Searcher, query: Upload | Stored = RED, **choice: Any) -> dict[str, int]:
    answer = searcher.search(query, k=10, choice=Choice(**choice))
    return {Path(each.uri or "").name: each.image_id or 0 for each in answer.matches}


@pytest.fixture
def searcher(workshop: Workshop) -> Searcher:
    workshop.publish()
    return workshop.searcher()


@pytest.fixture
def judgements(workshop: Workshop, searcher: Searcher) -> Judgements:
    return Judgements(workshop.galleries.site("default"))


def checksum(searcher: Searcher, query: Upload) -> str:
    return searcher.search(query, k=1).query.checksum


def content(searcher: Searcher, name: str) -> str:
    with searcher.builds.lend("default") as (build, _):
        return build.image(ids(searcher, include_judged=True)[name]).checksum


def test_a_pair_judged_wrong_is_left_out_and_counted(searcher: Searcher, judgements: Judgements) -> None:
    before = searcher.search(NEARLY, k=3)
    judgements.judge(checksum(searcher, NEARLY), content(searcher, "red.png"), right=False)
    after = searcher.search(NEARLY, k=3)
    names = [Path(each.uri or "").name for each in after.matches]
    assert names == ["half.png", "blue.png", "lime.png"]  # both images of red are gone, and k is filled
    assert (after.left_out, after.total) == (2, 3) and before.left_out is None
    assert [each.rank for each in after.matches] == [1, 2, 3]


def test_it_is_shown_with_the_judgement_where_that_is_asked_for(
    searcher: Searcher, judgements: Judgements
) -> None:
    judgements.judge(checksum(searcher, NEARLY), content(searcher, "red.png"), right=False, author="ada")
    judgements.judge(checksum(searcher, NEARLY), content(searcher, "half.png"), right=True)
    answer = searcher.search(NEARLY, choice=Choice(include_judged=True))
    said = {Path(each.uri or "").name: each.judgement for each in answer.matches}
    assert said["red.png"] is not None and said["red.png"] == said["copy.png"]
    assert (said["red.png"].says, said["red.png"].author) == ("wrong", "ada")
    assert said["half.png"] is not None and said["half.png"].says == "right"
    assert said["blue.png"] is None and answer.left_out is None and answer.total == 5


def test_it_holds_in_both_directions(searcher: Searcher, judgements: Judgements) -> None:
    judgements.judge(content(searcher, "red.png"), content(searcher, "half.png"), right=False)
    half = Stored(ids(searcher, include_judged=True)["half.png"])
    assert "half.png" not in ids(searcher)
    assert {"red.png", "copy.png"}.isdisjoint(ids(searcher, half)) and "half.png" in ids(searcher, half)


def test_the_last_word_on_a_pair_stands_until_it_is_revoked(
    searcher: Searcher, judgements: Judgements
) -> None:
    red, half = content(searcher, "red.png"), content(searcher, "half.png")
    first = judgements.judge(red, half, right=False, author="ada")
    second = judgements.judge(half, red, right=True, author="bob")
    assert "half.png" in ids(searcher)
    assert [each.judgement_id for each in judgements.listed()] == [second.judgement_id]
    third = judgements.judge(red, half, right=False)
    assert "half.png" not in ids(searcher)
    assert judgements.revoke(third.judgement_id).revoked_at is not None
    assert "half.png" in ids(searcher) and judgements.listed() == []
    history = judgements.listed(revoked=True)
    assert [each.judgement_id for each in history] == [
        first.judgement_id,
        second.judgement_id,
        third.judgement_id,
    ]


def test_it_survives_that_the_images_are_moved_and_indexed_again(
    workshop: Workshop, searcher: Searcher, judgements: Judgements
) -> None:
    judgements.judge(content(searcher, "red.png"), content(searcher, "half.png"), right=False)
    folder = workshop.root / "pictures/default/red"
    (folder / "half.png").rename(folder / "moved.png")
    workshop.publish(pictures={"red/another.png": plain("maroon")})
    assert "moved.png" not in ids(searcher) and "another.png" in ids(searcher)


def test_a_judgement_on_a_picture_says_nothing_of_a_part_of_it(
    searcher: Searcher, judgements: Judgements
) -> None:
    judgements.judge(content(searcher, "red.png"), content(searcher, "half.png"), right=False)
    answer = searcher.search(Part(RED, crop=Region.parse("0,0,0.5,1")))
    assert any(Path(each.uri or "").name == "half.png" for each in answer.matches)


def test_groups_are_filled_by_what_was_not_judged_wrong(searcher: Searcher, judgements: Judgements) -> None:
    judgements.judge(checksum(searcher, NEARLY), content(searcher, "red.png"), right=False)
    answer = searcher.search(NEARLY, k=3, choice=Choice(group_by="label", group_size=2))
    found = [(Path(each.uri or "").name, each.group.images) for each in answer.matches if each.group]
    assert found == [("half.png", 3), ("blue.png", 1), ("lime.png", 1)]
    assert answer.left_out == 2


def test_why_not_tells_that_the_pair_was_judged_wrong(searcher: Searcher, judgements: Judgements) -> None:
    half = ids(searcher)["half.png"]
    judgements.judge(content(searcher, "red.png"), content(searcher, "half.png"), right=False)
    answer = searcher.why_not(RED, half, wish=Wish(5))
    assert answer.outcome == "judged-wrong" and "whyalike judgements revoke" in answer.reason


@pytest.fixture
def client(workshop: Workshop) -> TestClient:
    workshop.publish()
    return workshop.client()


def test_over_http_a_pair_is_judged_listed_and_revoked(client: TestClient) -> None:
    def ask(**data: object) -> dict[str, Any]:
        found: dict[str, Any] = client.post(
            "/v1/search", files={"image": ("n.png", NEARLY.data)}, data=data
        ).json()
        return found

    answer = ask()
    judged = {
        "query_checksum": answer["query"]["checksum"],
        "image_id": answer["matches"][0]["image_id"],
        "says": "wrong",
        "author": "ada",
    }
    made = client.post("/v1/galleries/default/judgements", json=judged)
    assert made.status_code == 201 and made.json()["says"] == "wrong"
    assert ask()["left_out"] == 2
    assert ask(include_judged=True)["matches"][0]["judgement"] == made.json()
    path = f"/v1/galleries/default/judgements/{made.json()['judgement_id']}"
    listed = client.get("/v1/galleries/default/judgements", params={"limit": 1}).json()
    assert listed == {"judgements": [made.json()], "next_after": None}
    assert client.delete(path).json()["revoked_at"] is not None
    assert "left_out" not in ask()
    assert client.get("/v1/galleries/default/judgements").json()["judgements"] == []
    everything = client.get("/v1/galleries/default/judgements", params={"revoked": True}).json()
    assert len(everything["judgements"]) == 1


@pytest.mark.parametrize(
    ("sent", "status", "refusal"),
    [
        ({"query_checksum": "0" * 64, "image_id": 4711, "says": "wrong"}, 404, "no image 4711"),
        ({"query_checksum": "nonsense", "image_id": 1, "says": "wrong"}, 422, "no checksum"),
        ({"image_id": 1, "says": "wrong"}, 422, "either query_checksum or query_image_id"),
        ({"query_image_id": 1, "image_id": 1, "says": "right"}, 422, "judge two different"),
        ({"query_image_id": 1, "image_id": 2, "says": "maybe"}, 422, "says"),
        ({"query_checksum": "0" * 64, "image_id": 1, "says": "right", "author": "a\0b"}, 422, "holds a NUL"),
    ],
)
def test_what_is_no_judgement_is_refused(
    client: TestClient, sent: dict[str, Any], status: int, refusal: str
) -> None:
    response = client.post("/v1/galleries/default/judgements", json=sent)
    assert (response.status_code, refusal in response.json()["detail"]) == (status, True), response.text
    nowhere = client.post("/v1/galleries/nowhere/judgements", json={**sent, "says": "right"})
    assert nowhere.status_code in {404, 422}
    assert client.delete("/v1/galleries/default/judgements/99").status_code == 404


def test_pairs_of_files_are_exported_and_what_has_none_is_counted(
    workshop: Workshop, searcher: Searcher, judgements: Judgements
) -> None:
    judgements.judge(content(searcher, "red.png"), content(searcher, "half.png"), right=False)
    judgements.judge(content(searcher, "blue.png"), content(searcher, "half.png"), right=True)
    judgements.judge(checksum(searcher, NEARLY), content(searcher, "half.png"), right=True)
    with searcher.builds.lend("default") as (build, _):
        exported = judgements.exported(build)
    folder = workshop.root / "pictures/default"
    assert exported.left_out == 1
    assert {(Path(first).name, Path(second).name, same) for first, second, same in exported.pairs} == {
        ("copy.png", "half.png", False),
        ("blue.png", "half.png", True),
    }
    assert all(Path(each).is_relative_to(folder) for pair in exported.pairs for each in pair[:2])
