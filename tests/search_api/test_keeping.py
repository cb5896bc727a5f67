"""Uploaded queries are kept only where it is asked for, under ids that nobody can guess, and for a while."""

from __future__ import annotations

import io
import json
import logging
import sqlite3
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from gallery import kept_queries
from gallery.errors import QueriesFull, QueryNotFound
from gallery.kept_queries import KeepingLimits, KeptQueries, KeptQuery
from search_api.client import ApiError, Client
from tests.search_api.conftest import HALF_RED, Workshop
from tests.toys import plain, png

BLUE = ("blue.png", png(plain("blue")))
HALF = ("half.png", png(HALF_RED))


@dataclass
class Clock:
    """A clock that goes when it is told to."""

    now: datetime = field(default_factory=lambda: datetime.now(timezone.utc))

    def __call__(self) -> datetime:
        return self.now

    def passes(self, **time: float) -> None:
        self.now += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def kept(workshop: Workshop, clock: Clock) -> KeptQueries:
    engine = workshop.galleries._engine
    return KeptQueries(workshop.root / "home", engine, KeepingLimits(3, 1000), clock=clock)


def files(workshop: Workshop) -> list[Path]:
    folder = workshop.root / "home/queries"
    return sorted(folder.iterdir()) if folder.exists() else []


@pytest.fixture
def client(workshop: Workshop) -> TestClient:
    workshop.publish()
    return workshop.client()


def keep(client: TestClient, picture: tuple[str, bytes] = HALF, **data: object) -> dict[str, Any]:
    response = client.post("/v1/search", files={"image": picture}, data={"keep": 60, **data})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def naming(query_id: str) -> dict[str, str]:
    return {"x-query-id": query_id}


def forget(client: TestClient, query_id: str) -> int:
    return client.delete("/v1/queries", headers=naming(query_id)).status_code


def test_a_query_is_found_until_its_time_is_over(workshop: Workshop, kept: KeptQueries, clock: Clock) -> None:
    query_id, until = kept.keep(b"picture", "a.png", seconds=60)
    assert until == clock.now + timedelta(seconds=60)
    clock.passes(seconds=59)
    assert (kept.find(query_id).data, kept.find(query_id).name) == (b"picture", "a.png")
    clock.passes(seconds=2)
    with pytest.raises(QueryNotFound):
        kept.find(query_id)
    assert len(files(workshop)) == 1 and kept.collect() == 1 and files(workshop) == []


def test_a_forgotten_query_is_gone_with_its_file(workshop: Workshop, kept: KeptQueries) -> None:
    query_id, _ = kept.keep(b"picture", None, seconds=60)
    kept.forget(query_id)
    assert files(workshop) == []
    for ask in (kept.find, kept.forget):
        with pytest.raises(QueryNotFound) as refusal:
            ask(query_id)
        assert query_id not in str(refusal.value)


def test_no_more_are_kept_than_may_be_until_some_are_over(
    workshop: Workshop, kept: KeptQueries, clock: Clock
) -> None:
    with pytest.raises(QueriesFull, match="1,000"):
        kept.keep(bytes(1001), None, seconds=60)
    for _ in range(3):
        kept.keep(b"picture", None, seconds=60)
    with pytest.raises(QueriesFull, match="3 queries of 21 bytes"):
        kept.keep(b"picture", None, seconds=60)
    assert len(files(workshop)) == 3
    clock.passes(seconds=61)
    kept.keep(b"picture", None, seconds=60)
    assert len(files(workshop)) == 1


def test_a_file_that_nothing_names_is_removed_once_nobody_can_be_writing_it(
    workshop: Workshop, kept: KeptQueries, clock: Clock
) -> None:
    kept.keep(b"picture", None, seconds=10_000)
    (workshop.root / "home/queries/stray").write_bytes(b"of a process that was killed")
    kept.collect()
    assert len(files(workshop)) == 2
    clock.passes(hours=2)
    kept.collect()
    assert [each.name for each in files(workshop)] != [] and "stray" not in [
        each.name for each in files(workshop)
    ]


def test_neither_files_nor_records_tell_how_a_query_is_asked_for(
    workshop: Workshop, kept: KeptQueries
) -> None:
    ids = {kept.keep(b"picture", None, seconds=60)[0] for _ in range(3)}
    assert len(ids) == 3 and all(len(each) >= 43 for each in ids)
    with sqlite3.connect(workshop.root / "records.db") as records:
        told = str(records.execute("SELECT * FROM kept_queries").fetchall()) + str(files(workshop))
    assert not any(each in told for each in ids)


def test_a_kept_query_is_asked_with_wherever_an_image_is(client: TestClient, workshop: Workshop) -> None:
    first = keep(client)
    query_id = first["query"]["query_id"]
    assert len(files(workshop)) == 1
    again = client.post("/v1/search", data={"query_id": query_id}).json()
    assert again["matches"] == first["matches"] and "query_id" not in again["query"]
    cropped = client.post("/v1/search", data={"query_id": query_id, "crop": "0.5,0,1,1", "k": 1}).json()
    assert cropped["matches"][0]["label"] == "blue"
    queries = json.dumps([{"query_id": query_id}, {"upload": 0, "weight": 0.5}])
    both = client.post("/v1/search", files={"image": BLUE}, data={"queries": queries}).json()
    assert [each["uri"] for each in both["queries"]] == ["half.png", "blue.png"]
    batch = client.post("/v1/search/batch", data={"searches": json.dumps([{"query_id": query_id}])}).json()
    assert batch["answers"][0]["search"]["matches"] == first["matches"]
    matched = next(each for each in first["matches"] if each["uri"].endswith("red/red.png"))["image_id"]
    compared = client.post("/v1/compare", data={"a_query_id": query_id, "b_image_id": matched}).json()
    assert compared["image_id"] == matched
    missing = client.post("/v1/why-not", data={"query_id": query_id, "wanted_image_id": matched}).json()
    assert missing["outcome"] == "returned"
    shown = client.get("/v1/queries/picture", headers=naming(query_id))
    assert shown.headers["content-type"] == "image/jpeg" and shown.headers["cache-control"] == "no-store"
    assert Image.open(io.BytesIO(shown.content)).size[0] >= 256, "a tiny one is enlarged, to be seen"
    stored = first["matches"][0]["image_id"]
    for side in ("query", "matched"):
        address = f"/v1/images/{matched}/overlay?side={side}"
        painted = client.get(address, headers=naming(query_id))
        same = client.get(f"{address}&query={stored}")
        assert "X-Query-ID" in painted.headers["vary"] and "X-Query-ID" not in same.headers["vary"]
        assert painted.headers["content-type"] == "image/png"
        shown = [np.asarray(Image.open(io.BytesIO(each.content))) for each in (painted, same)]
        assert np.array_equal(*shown)


def test_every_replica_reads_what_one_has_kept(client: TestClient, workshop: Workshop) -> None:
    query_id = keep(client)["query"]["query_id"]
    assert workshop.client().post("/v1/search", data={"query_id": query_id}).status_code == 200
    assert forget(workshop.client(), query_id) == 204
    gone = client.post("/v1/search", data={"query_id": query_id})
    assert (gone.status_code, gone.json()["type"]) == (404, "urn:whyalike:problem:query-not-found")
    assert forget(client, query_id) == 404 and files(workshop) == []


def test_nothing_is_kept_unless_it_is_asked_for(client: TestClient, workshop: Workshop) -> None:
    answer = client.post("/v1/search", files={"image": HALF}).json()
    assert "query_id" not in answer["query"] and files(workshop) == []
    refused = client.post("/v1/search", files={"image": ("a.png", b"words")}, data={"keep": 60})
    assert refused.status_code == 422 and files(workshop) == []


@pytest.mark.parametrize(
    ("data", "refusal"),
    [({"keep": 100_000}, "1 to 86400 seconds"), ({"keep": 60, "image_id": 1}, "Nothing was sent")],
)
def test_what_cannot_be_kept_is_refused(client: TestClient, data: dict[str, Any], refusal: str) -> None:
    sent = {} if "image_id" in data else {"files": {"image": HALF}}
    response = client.post("/v1/search", data=data, **sent)
    assert response.status_code == 422 and refusal in response.json()["detail"]


def test_where_no_more_may_be_kept_the_service_says_when_to_ask_again(workshop: Workshop) -> None:
    workshop.publish()
    client = workshop.client(kept_queries=1)
    keep(client)
    response = client.post("/v1/search", files={"image": HALF}, data={"keep": 60})
    assert response.status_code == 503 and int(response.headers["retry-after"]) > 0


@pytest.mark.parametrize("guess", ["x", "", "0" * 43, "../../records.db", "%00", "é" * 30, "0" * 101])
def test_guessing_and_wandering_find_nothing(client: TestClient, guess: str) -> None:
    keep(client)
    asked = {"headers": {"x-query-id": guess.encode()}}
    assert client.request("DELETE", "/v1/queries", **asked).status_code in {404, 422}
    assert client.get("/v1/queries/picture", **asked).status_code in {404, 422}
    assert client.get("/v1/images/1/overlay", **asked).status_code in {404, 422}
    assert client.post("/v1/search", data={"query_id": guess}).status_code in {404, 422}


def test_an_id_is_in_no_log_and_in_no_address_that_a_proxy_would_log(
    workshop: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    workshop.publish()
    caplog.set_level(logging.DEBUG)
    addresses: list[str] = []
    noting = {"request": [lambda request: addresses.append(str(request.url))]}
    with workshop.client() as http:
        http.event_hooks = noting  # type: ignore[assignment]
        client = Client(http=http)
        query_id = client.search(HALF, keep=60).query.query_id
        assert query_id
        client.search(query_id=query_id)
        client.search(queries=[{"query_id": query_id}, {"image_id": 1}])
        client.search_batch([{"query_id": query_id}])
        client.why_not(query_id=query_id, wanted_image_id=1)
        client.compare(a_query_id=query_id, b_image_id=1)
        client.get_kept_picture(query_id)
        client.get_overlay(1, query_id=query_id)
        client.forget_query(query_id)
        for gone in (client.get_kept_picture, client.forget_query):
            with pytest.raises(ApiError, match="No query is kept") as refused:
                gone(query_id)
            assert query_id not in str(refused.value.problem)
    assert len(addresses) == 11 and not any(query_id in each for each in addresses)
    assert any("/v1/queries" in record.getMessage() for record in caplog.records)
    assert all(query_id not in record.getMessage() + str(record.__dict__) for record in caplog.records)


def test_no_operation_takes_the_id_of_a_kept_query_in_its_address(client: TestClient) -> None:
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        for operation in methods.values():
            named = {each["name"]: each["in"] for each in operation.get("parameters", [])}
            addressed = {name for name, place in named.items() if place in {"path", "query"}}
            assert not {name for name in addressed if "query" in name and "id" in name}, path


def test_only_what_was_sent_is_kept_and_the_same_bytes_once(client: TestClient, workshop: Workshop) -> None:
    kept_before = keep(client)["query"]["query_id"]
    queries = json.dumps([{"query_id": kept_before}, {"upload": 0}, {"upload": 1}, {"image_id": 2}])
    sent = [("image", BLUE), ("image", ("again.png", BLUE[1]))]
    response = client.post("/v1/search", files=sent, data={"queries": queries, "keep": 60})
    told = [each.get("query_id") for each in response.json()["queries"]]
    assert told[0] is None and told[1] == told[2] is not None and told[3] is None
    assert len(files(workshop)) == 2


def test_either_all_of_several_are_kept_or_none(workshop: Workshop) -> None:
    workshop.publish()
    client = workshop.client(kept_queries=2)
    keep(client)
    queries = json.dumps([{"upload": 0}, {"upload": 1}])
    sent = [("image", BLUE), ("image", HALF)]
    response = client.post("/v1/search", files=sent, data={"queries": queries, "keep": 60})
    assert response.status_code == 503 and "no room for 2 more" in response.json()["detail"]
    assert len(files(workshop)) == 1
    keep(client)


def test_a_disk_that_fills_up_leaves_nothing_of_several(
    workshop: Workshop, kept: KeptQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = kept_queries.write_file

    def full(path: Path, data: bytes) -> None:
        if data == b"second":
            raise OSError("no space")
        write(path, data)

    monkeypatch.setattr(kept_queries, "write_file", full)
    with pytest.raises(OSError, match="no space"):
        kept.keep_each([KeptQuery(b"first", None), KeptQuery(b"second", None)], seconds=60)
    assert files(workshop) == []


def test_while_the_service_runs_what_is_over_is_removed(workshop: Workshop, clock: Clock) -> None:
    workshop.publish()
    searcher = workshop.searcher()
    searcher.kept.keep(b"picture", None, seconds=-1)
    assert len(files(workshop)) == 1
    with workshop.client():  # starts and ends the service
        pass
    assert files(workshop) == []
