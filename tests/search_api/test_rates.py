"""What is counted, for whom, and what it costs a service to be asked too often."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.access.key import Secret
from gallery.access.sessions import Sessions
from search_api.edge import recognition
from search_api.edge.addresses import NOBODY, counted_address
from search_api.edge.readiness import LOOKS_PER_SECOND, Readiness
from search_api.edge.windows import MovingWindow
from tests.search_api.conftest import Workshop
from tests.search_api.guarded import guarded
from tests.search_api.test_access import COOKIE, browser
from tests.search_api.test_service import RED, refused

SEARCHES = [{"image_id": 1, "k": 1}]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognition, "SLOWED_S", 0.01)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 3)), max_size=30))
def test_in_no_stretch_of_a_window_is_more_let_than_may_be(asked: list[tuple[int, int]]) -> None:
    now = 0.0
    window = MovingWindow(3, seconds=60, clock=lambda: now)
    let: deque[float] = deque()
    for pause, cost in asked:
        now += pause
        wait = window.count("one", cost=cost)
        lately = [each for each in let if each > now - 60]
        assert (wait == 0) == (len(lately) + cost <= 3)
        if wait:
            left = [each for each in let if each > now + wait - 60]
            assert 0 < wait <= 60 and len(left) + cost <= 3, "then there is room"
        else:
            let.extend([now] * cost)


def test_of_many_who_ask_little_is_remembered_and_in_the_end_nothing() -> None:
    now = 0.0
    window = MovingWindow(2, seconds=60, remembered=10, clock=lambda: now)
    for number in range(1000):
        assert window.count(str(number)) == 0
        assert len(window) <= 11
    now = 60.0
    window.count("last")
    assert len(window) == 1


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("made up\n", NOBODY),
    ],
)
def test_addresses_that_one_may_choose_from_count_as_one(address: str, counted: str) -> None:
    assert counted_address({"client": (address, 1)}) == counted
    assert counted_address({}) == NOBODY


def test_a_right_key_is_let_in_from_where_wrong_ones_come(workshop: Workshop) -> None:
    service = guarded(workshop, failures_per_minute=1)
    guesses = [service.holding(Secret.new()).get("/v1/galleries").status_code for _ in range(3)]
    assert guesses == [401, 429, 429]
    assert [service.client().get("/v1/galleries").status_code for _ in range(3)] == [401] * 3
    assert service.client("read").get("/v1/galleries").status_code == 200
    secret = service.keys.create("curator", scope="read")[1]
    assert service.client().post("/v1/session", json={"key": secret.text}).status_code == 200


def test_guesses_are_answered_late(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognition, "SLOWED_S", 0.3)
    guesser = guarded(workshop, failures_per_minute=1).holding(Secret.new())
    guesser.get("/v1/galleries")
    for path in ("/v1/galleries", "/v1/session"):
        began = time.monotonic()
        guesser.get(path)
        assert time.monotonic() - began > 0.3, path


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_where_no_key_is_needed_a_wrong_one_is_counted_too(workshop: Workshop, method: str) -> None:
    service = guarded(workshop, failures_per_minute=2)
    guesser = service.holding(Secret.new())
    assert [guesser.request(method, "/v1/session").status_code // 100 for _ in range(2)] == [2, 2]
    refused(guesser.get("/v1/galleries"), 429, "too-many-requests")


def test_signing_out_with_a_made_up_cookie_writes_nothing(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = guarded(workshop)
    signed_in = browser(service)

    def never(*_: object) -> object:
        raise AssertionError("written")

    monkeypatch.setattr("gallery.access.sessions.writing", never)
    stranger = service.client()
    stranger.cookies.set(COOKIE, "made-up")
    assert stranger.delete("/v1/session", headers={"Origin": "http://localhost"}).status_code == 204
    Sessions(workshop.galleries.engine, lasts=None).close("made-up")  # type: ignore[arg-type]
    assert signed_in.get("/v1/session").json()["name"] == "curator"


def test_a_batch_costs_as_many_searches_as_it_holds(workshop: Workshop) -> None:
    workshop.publish()
    client = guarded(workshop, searches_per_minute=4).client("read")
    batch = {"searches": json.dumps(SEARCHES * 3)}
    assert client.post("/v1/search/batch", data=batch).status_code == 200
    refused(client.post("/v1/search/batch", data=batch), 429, "too-many-requests")
    larger = guarded(workshop, searches_per_minute=2).client("read")
    assert [larger.post("/v1/search/batch", data=batch).status_code for _ in range(2)] == [200, 429]


def test_several_pictures_that_are_asked_with_together_cost_a_search_each(workshop: Workshop) -> None:
    workshop.publish()
    client = guarded(workshop, searches_per_minute=5).client("read")
    both = {"queries": json.dumps([{"image_id": 1}, {"image_id": 2, "weight": -0.5}])}
    answers = [client.post("/v1/search", data=both) for _ in range(3)]
    assert [each.status_code for each in answers] == [200, 200, 429]
    other = guarded(workshop, searches_per_minute=5).client("read")
    batch = {"searches": json.dumps([{"queries": [{"image_id": 1}, {"image_id": 2}]}] * 2)}
    assert [other.post("/v1/search/batch", data=batch).status_code for _ in range(2)] == [200, 429]


def test_an_overlay_that_embeds_its_query_costs_a_search(workshop: Workshop) -> None:
    workshop.publish()
    client = guarded(workshop, searches_per_minute=2).client("read")
    query = client.post("/v1/search", files={"image": RED}, data={"keep": 60}).json()["query"]
    address, named = "/v1/images/1/overlay", {"x-query-id": query["query_id"]}
    assert [client.get(address, headers=named).status_code for _ in range(2)] == [200, 429]
    assert client.get(f"{address}?query=1").status_code == 200


def test_what_needs_no_key_has_a_rate_for_each_address_and_probes_have_none(workshop: Workshop) -> None:
    service = guarded(workshop, open_requests_per_minute=3)
    client = service.client()
    paths = ("/", "/sign-in", "/page/page.css", "/openapi.json")
    assert [client.get(path).status_code for path in paths] == [200, 200, 200, 429]
    assert client.get("/livez").status_code == 200 and client.get("/readyz").status_code == 503
    assert service.client("read").get("/v1/galleries").status_code == 200


def test_strangers_take_no_places_of_those_with_keys(workshop: Workshop) -> None:
    service = guarded(workshop, requests_at_once=1, requests_waiting=0)
    lanes: dict[str, str | None] = {}
    of = service.app.state.destinations.of
    for method, path in (("GET", "/"), ("POST", "/v1/session"), ("GET", "/docs"), ("GET", "/v1/galleries")):
        found = of({"type": "http", "path": path, "method": method, "query_string": b"", "headers": []})
        lanes[path] = found.lane
    assert lanes == {"/": "open", "/v1/session": "open", "/docs": "open", "/v1/galleries": "other"}


def test_however_many_ask_whether_it_is_ready_one_looks() -> None:
    looked: list[int] = []
    now = 0.0
    opened = threading.Event()

    def look() -> list[str]:
        looked.append(1)
        opened.wait(5)
        return ["a reason"]

    async def asked() -> None:
        readiness = Readiness(look, clock=lambda: now)
        together = [asyncio.create_task(readiness.reasons()) for _ in range(200)]
        while not looked:
            await asyncio.sleep(0.01)
        opened.set()
        assert await asyncio.gather(*together) == [["a reason"]] * 200 and len(looked) == 1
        for _ in range(200):
            assert await readiness.reasons() == ["a reason"]
        assert len(looked) == 1 + LOOKS_PER_SECOND, "in one second"
        nonlocal now
        now += 1.0
        await readiness.reasons()
        assert len(looked) == 2 + LOOKS_PER_SECOND

    asyncio.run(asked())
