"""Keys, their scopes and sessions, and what a browser may be made to do."""

from __future__ import annotations

import json
import logging
import re

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

from gallery.access.key import SCOPES, Scope, Secret
from gallery.access.keys import Keys
from search_api import destinations
from search_api.app import ROUTES
from search_api.destinations import scope_of
from search_api.edge import door
from search_api.edge.logs import JsonLines
from search_api.routes.service import metrics_router
from tests.search_api.conftest import Workshop
from tests.search_api.guarded import Guarded, guarded
from tests.search_api.test_service import RED, refused

COOKIE = door.COOKIE


@pytest.fixture
def service(workshop: Workshop) -> Guarded:
    """One that has nothing to find yet."""
    return guarded(workshop)


@pytest.fixture
def published(service: Guarded, workshop: Workshop) -> Guarded:
    workshop.publish()
    return service


def browser(service: Guarded) -> TestClient:
    """A browser in which somebody has signed in with a key that may read."""
    client = service.client()
    _, secret = service.keys.create("curator", scope="read")
    answer = client.post("/v1/session", json={"key": secret.text}, headers={"Origin": "http://localhost"})
    assert answer.status_code == 200, answer.text
    return client


def test_without_a_key_nothing_of_a_gallery_is_told(service: Guarded) -> None:
    client = service.client()
    for method, path in [
        ("POST", "/v1/search"),
        ("GET", "/v1/galleries"),
        ("GET", "/v1/images/1/thumbnail"),
        ("GET", "/v1/whatever/comes"),
        ("DELETE", "/v1/galleries/default"),
        ("GET", "/metrics"),
        ("GET", "/nowhere"),
    ]:
        response = client.request(method, path)
        refused(response, 401, "key-required")
        assert response.headers["www-authenticate"] == 'Bearer realm="whyalike"'


def test_everybody_may_know_that_it_lives_and_what_it_is(service: Guarded) -> None:
    client = service.client()
    for path in ("/livez", "/readyz", "/openapi.json", "/page/page.css", "/sign-in", "/v1/session"):
        assert client.get(path).status_code not in (401, 403), path


def test_probes_are_answered_while_the_records_are_gone_whatever_is_shown(
    service: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise OperationalError("select", {}, Exception("no server"))

    client = service.client("read")
    monkeypatch.setattr(Keys, "find", gone)
    assert client.get("/livez").status_code == 200
    refused(client.get("/v1/galleries"), 503, "records-unavailable")


def test_a_key_opens_what_its_scope_says(published: Guarded) -> None:
    client = published.client("read")
    answer = client.post("/v1/search", files={"image": RED}).json()
    assert answer["matches"]
    assert client.get("/v1/session").json() == {"authentication": "keys", "name": "tester", "scope": "read"}


def test_a_scope_that_is_missing_is_named(service: Guarded) -> None:
    response = service.client("read").request("DELETE", "/v1/galleries/default/images/1")
    problem = refused(response, 403, "scope-missing")
    assert "“write”" in problem["detail"] and "“read”" in problem["detail"]
    assert 'error="insufficient_scope", scope="write"' in response.headers["www-authenticate"]
    assert service.client("write").request("DELETE", "/v1/galleries/default/images/99").status_code == 404
    for scope in ("read", "write"):  # whoever deletes a gallery must be able to do anything
        deletion = service.client(scope).request("DELETE", "/v1/galleries/default?confirm=default")
        assert "“admin”" in refused(deletion, 403, "scope-missing")["detail"]


def test_a_wrong_key_is_refused_as_one(service: Guarded) -> None:
    for wrong in (
        "Bearer wak_0000000000_" + 43 * "A",
        "Bearer nothing",
        "Bearer",
        "Basic dXNlcjpw",
        "wak_x",
        "",
    ):
        response = service.client().get("/v1/galleries", headers={"Authorization": wrong})
        refused(response, 401, "key-required")
        assert 'error="invalid_token"' in response.headers["www-authenticate"]


def test_a_key_that_is_revoked_works_for_some_seconds_at_most(
    service: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = service.client("read")
    monkeypatch.setattr(door, "REMEMBERED_S", 0.0)
    assert client.get("/v1/galleries").status_code == 200
    service.keys.revoke("tester")
    refused(client.get("/v1/galleries"), 401, "key-required")


def test_when_a_key_was_used_last_is_written_once_and_at_the_end(workshop: Workshop) -> None:
    service = guarded(workshop)
    _, secret = service.keys.create("tester", scope="read")
    with service.holding(secret) as client:
        for _ in range(3):
            assert client.get("/v1/galleries").status_code == 200
    assert service.keys.all()[0].last_used_at is not None


def test_a_body_is_not_read_before_the_key_is_known(service: Guarded) -> None:
    def endless():  # type: ignore[no-untyped-def]
        yield bytes(1000)
        raise AssertionError("more of the body was asked for")

    refused(service.client().post("/v1/search", content=endless()), 401, "key-required")


def test_every_operation_says_which_scope_it_needs_and_how_it_refuses(service: Guarded) -> None:
    schema = service.client().get("/openapi.json").json()
    assert set(schema["components"]["securitySchemes"]) == {"key", "session"}
    for path in schema["paths"].values():
        for method, operation in path.items():
            scope = scope_of(operation["operationId"], method.upper())
            assert operation["security"] == ([{"key": [scope]}, {"session": [scope]}] if scope else [])
            assert scope is None or {"401", "403", "429"} <= set(operation["responses"])


def test_only_what_is_listed_is_open_or_may_be_posted_to_read() -> None:
    routes = [route for module in ROUTES for route in module.router.routes] + metrics_router.routes
    named = {route.name: route for route in routes}  # type: ignore[attr-defined]
    loosened = {name for name, scope in destinations.SCOPES_OF.items() if scope != "admin"}
    assert loosened <= set(named)
    assert scope_of("whatever_comes", "POST") == "write" and scope_of("whatever_comes", "GET") == "read"


@pytest.mark.parametrize(
    ("setting", "statuses"),
    [
        ("off", (401, 404, 404, 404)),
        ("read", (401, 200, 200, 200)),
        ("admin", (401, 403, 403, 200)),
        ("open", (200, 200, 200, 200)),
    ],
)
def test_metrics_are_shown_to_whom_the_setting_says(
    workshop: Workshop, setting: str, statuses: tuple[int, ...]
) -> None:
    service = guarded(workshop, metrics=setting)
    asking: tuple[Scope | None, ...] = (None, *SCOPES)
    assert tuple(service.client(who).get("/metrics").status_code for who in asking) == statuses


def test_a_key_stands_in_no_log_no_answer_and_no_metric(
    published: Guarded, workshop: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = published.keys.create("tester", scope="read")[1]
    wrong = Secret.new()
    told = []
    for each in (secret, wrong):
        client = published.holding(each)
        told += [
            client.get("/v1/galleries"),
            client.get(f"/v1/galleries/{each.text}"),
            client.get("/nowhere", params={"key": each.text}),
            client.get("/v1/galleries", headers={"X-Request-ID": each.text}),
            client.post("/v1/session", json={"key": each.text}),
            client.post("/v1/session", json={"key": 7, "more": each.text}),
            client.post("/v1/search", data={"image_id": each.text}),
            client.post("/v1/search", files={"image": (each.text, b"none")}),
        ]
    told.append(published.client("read").get("/metrics"))
    for manifest in (workshop.root / "home").rglob("builds/*.json"):
        manifest.write_text("none")
    told.append(guarded(workshop).holding(secret).post("/v1/search", files={"image": RED}))
    assert told[-1].status_code == 500
    lines = [JsonLines().format(record) for record in caplog.records]
    assert len(lines) > 16
    seen = "\n".join([*lines, *(f"{each.headers} {each.text}" for each in told)])
    for each in (secret, wrong):
        assert each.text[-43:] not in seen
    assert all(json.loads(line) for line in lines)


def test_pictures_load_in_a_browser_that_has_signed_in(published: Guarded) -> None:
    client = browser(published)
    cookie = client.cookies.jar
    assert [each.name for each in cookie] == [COOKIE]
    image_id = client.post("/v1/search", files={"image": RED}, headers={"Origin": "http://localhost"}).json()[
        "matches"
    ][0]["image_id"]
    thumbnail = client.get(f"/v1/images/{image_id}/thumbnail")  # as <img> asks: by the cookie alone
    assert (thumbnail.status_code, thumbnail.headers["content-type"]) == (200, "image/jpeg")


def test_a_session_is_a_cookie_that_no_script_and_no_other_page_has(service: Guarded) -> None:
    secret = service.keys.create("curator", scope="read")[1]
    for url, is_secure in (("http://localhost", False), ("https://localhost", True)):
        answer = service.client().post(f"{url}/v1/session", json={"key": secret.text})
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie and "SameSite=strict" in cookie and "Path=/" in cookie
        assert ("Secure" in cookie) == is_secure
        assert "Max-Age" not in cookie and "expires" not in cookie.lower()
        assert secret.text not in cookie


def test_by_https_no_other_host_can_have_its_cookie_taken_for_ours(service: Guarded) -> None:
    secret = service.keys.create("curator", scope="read")[1]
    client = service.client()
    client.base_url = "https://localhost"
    assert client.post("/v1/session", json={"key": secret.text}).status_code == 200
    token = client.cookies[f"__Host-{COOKIE}"]
    assert client.get("/v1/session").json()["name"] == "curator"
    tossed = service.client()
    tossed.cookies.set(COOKIE, token)
    assert tossed.get("https://localhost/v1/session").json()["name"] is None
    origin = {"Origin": "https://localhost"}
    assert client.delete("/v1/session", headers=origin).status_code == 204
    assert not client.cookies
    refused(client.get("/v1/galleries"), 401, "key-required")


def test_signing_out_ends_the_session_and_not_only_the_cookie(service: Guarded) -> None:
    client = browser(service)
    stolen = client.cookies[COOKIE]
    answer = client.delete("/v1/session", headers={"Origin": "http://localhost"})
    assert answer.status_code == 204 and COOKIE not in client.cookies
    thief = service.client()
    thief.cookies.set(COOKIE, stolen)
    refused(thief.get("/v1/galleries"), 401, "key-required")


def test_the_page_asks_for_a_key_until_there_is_one(service: Guarded, workshop: Workshop) -> None:
    outside = service.client().get("/")
    assert (
        'id="sign-in"' in outside.text and "script-src 'self'" in outside.headers["content-security-policy"]
    )
    for script in re.findall(r'(?:src|href)="(/page/[^"]+)"', outside.text):
        assert service.client().get(script).status_code == 200
    assert 'id="ask"' in browser(service).get("/").text
    assert 'id="ask"' in workshop.client().get("/").text


def test_where_no_key_is_asked_for_signing_in_says_so(workshop: Workshop) -> None:
    answer = workshop.client().post("/v1/session", json={"key": "any"})
    assert answer.json() == {"authentication": "off", "name": None, "scope": None}
    assert "set-cookie" not in answer.headers


def test_another_page_cannot_have_a_browser_change_something(service: Guarded) -> None:
    client = browser(service)
    for headers in (
        {"Origin": "http://localhost"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
    ):
        refused(client.post("/v1/search", headers=headers), 422, "invalid-question")
    for headers in (
        {"Origin": "http://evil.example"},
        {"Origin": "http://localhost:9999"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {},
    ):
        refused(client.post("/v1/search", headers=headers), 403, "foreign-origin")


def test_another_page_reaches_a_service_without_keys_no_more(workshop: Workshop) -> None:
    client = workshop.client()
    refused(client.post("/v1/search", headers={"Origin": "http://evil.example"}), 403, "foreign-origin")
    refused(client.post("/v1/search"), 422, "invalid-question")


def test_too_many_requests_of_one_key_are_refused_until_later(workshop: Workshop) -> None:
    service = guarded(workshop, requests_per_minute=3)
    client, other = service.client("read"), service.client("read")
    assert [client.get("/v1/galleries").status_code for _ in range(4)] == [200, 200, 200, 429]
    response = client.get("/v1/galleries")
    refused(response, 429, "too-many-requests")
    assert 1 <= int(response.headers["retry-after"]) <= 60
    assert other.get("/v1/galleries").status_code == 200


def test_searches_have_a_rate_of_their_own(workshop: Workshop) -> None:
    client = guarded(workshop, searches_per_minute=1).client("read")
    assert [client.post("/v1/search").status_code for _ in range(2)] == [422, 429]
    assert client.get("/v1/galleries").status_code == 200


def test_an_address_that_guesses_keys_is_soon_not_listened_to(workshop: Workshop) -> None:
    service = guarded(workshop, failures_per_minute=2)
    guesser = service.holding(Secret.new())
    assert [guesser.get("/v1/galleries").status_code for _ in range(3)] == [401, 401, 429]
    refused(guesser.post("/v1/session", json={"key": "guess"}), 429, "too-many-requests")
    assert guesser.get("/livez").status_code == 200


def test_signing_in_with_a_wrong_key_is_a_failure_too(workshop: Workshop) -> None:
    client = guarded(workshop, failures_per_minute=1).client()
    answers = [client.post("/v1/session", json={"key": "guess"}).status_code for _ in range(2)]
    assert answers == [401, 429]
