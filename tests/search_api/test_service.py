from __future__ import annotations

import asyncio
import base64
import io
import json
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from starlette.types import ASGIApp, Message

from explain.overlay import muted
from search_api.contract import examples
from search_api.problems.refusals import PROBLEM_JSON
from search_api.queries.subjects import Upload
from search_api.schemas import base, batch, galleries, judgements, service, why_not
from search_api.schemas import map as map_schemas
from search_api.schemas import search as search_schemas
from search_api.schemas.search import CompareResponse, SearchResponse
from tests.search_api.conftest import HALF_RED, Workshop
from tests.toys import fitted_at, mosaic, noise, plain, png

RED = ("red.png", png(plain("red")))
HALF = ("half.png", png(HALF_RED))


@pytest.fixture
def client(workshop: Workshop) -> TestClient:
    workshop.publish(calibration=fitted_at(1.0))
    return workshop.client()


def opened(data_uri: str) -> Image.Image:
    kind, _, content = data_uri.partition(",")
    assert kind == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(content)))


def id_of(client: TestClient, name: str) -> int:
    matches = client.post("/v1/search", files={"image": RED}).json()["matches"]
    return int(next(match["image_id"] for match in matches if match["uri"].endswith(name)))


def refused(response: httpx2.Response, status: int, kind: str) -> dict[str, Any]:
    assert (response.status_code, response.headers["content-type"]) == (status, PROBLEM_JSON)
    problem: dict[str, Any] = response.json()
    assert problem["status"] == status and problem["title"] and problem["detail"]
    assert problem["type"] == (kind if ":" in kind else f"urn:whyalike:problem:{kind}")
    return problem


def test_a_search_answers_what_the_searcher_answers(client: TestClient, workshop: Workshop) -> None:
    response = client.post("/v1/search", files={"image": RED}, data={"k": 3, "label": ["red", "blue"]})
    assert response.status_code == 200
    over_http = SearchResponse.model_validate_json(response.content)
    in_python = workshop.searcher().search(Upload(RED[1], RED[0]), k=3, labels=["red", "blue"])
    assert over_http.matches == in_python.matches
    assert over_http.query == in_python.query
    assert "overlays" not in response.json()["matches"][0]


def test_a_search_by_a_stored_image_needs_no_upload(client: TestClient) -> None:
    image_id = id_of(client, "half.png")
    answer = client.post("/v1/search", data={"image_id": image_id, "k": 1}).json()
    assert [match["image_id"] for match in answer["matches"]] == [image_id]


def test_overlays_are_sent_inline_where_they_are_asked_for(client: TestClient, workshop: Workshop) -> None:
    wide = ("wide.png", png(mosaic([["red", "red", "blue"]], cell=200)))
    data = {"k": 1, "overlays": "true"}
    overlays = client.post("/v1/search", files={"image": wide}, data=data).json()["matches"][0]["overlays"]
    assert overlays["query"]["drawn_on"] == "upload"
    assert overlays["matched"]["drawn_on"] == "original"
    assert opened(overlays["query"]["factual"]).size == (600, 200)
    assert opened(overlays["matched"]["counterfactual"]).size == (256, 256)


def test_heat_lies_where_the_pictures_are_alike(client: TestClient) -> None:
    answer = client.post("/v1/compare", files={"a": RED, "b": HALF}, data={"overlays": "true"}).json()
    painted = np.asarray(opened(answer["overlays"]["matched"]["factual"]), int)
    pale_half = np.asarray(muted(HALF_RED.resize((256, 256), Image.Resampling.NEAREST)), int)
    changed = np.abs(painted - pale_half).sum(axis=2)
    assert changed[:, :96].min() > 60 > changed[:, 160:].max()


def test_two_uploads_are_compared_as_one_match(client: TestClient) -> None:
    response = client.post("/v1/compare", files={"a": RED, "b": HALF})
    answer = CompareResponse.model_validate_json(response.content)
    assert (answer.uri, answer.verdict) == ("half.png", "same")
    half_id = id_of(client, "half.png")
    with_stored = client.post("/v1/compare", files={"a": RED}, data={"b_image_id": half_id}).json()
    assert with_stored["distance"] == answer.distance
    assert (with_stored["image_id"], with_stored["label"]) == (half_id, "red")
    assert client.post("/v1/compare", files={"a": HALF, "b": HALF}).json()["distance"] == 0


def test_galleries_and_images_can_be_looked_into(client: TestClient) -> None:
    (listed,) = client.get("/v1/galleries").json()["galleries"]
    assert (listed["name"], listed["build"], listed["images"], listed["contents"]) == ("default", 1, 5, 4)
    detail = client.get("/v1/galleries/default").json()
    assert detail["labels"] == {"blue": 1, "green": 1, "red": 3}
    assert detail["threshold"] == 1.0
    image = client.get(f"/v1/images/{id_of(client, 'half.png')}").json()
    assert (image["label"], image["width"], image["height"]) == ("red", 32, 32)
    assert image["original"] == "unchanged"


def test_pictures_are_drawn_on_the_thumbnail_where_the_original_is_gone_or_changed(
    client: TestClient, workshop: Workshop
) -> None:
    half_id, red_id = id_of(client, "half.png"), id_of(client, "red.png")
    overlay = f"/v1/images/{half_id}/overlay?query={red_id}"
    assert client.get(overlay).headers["x-drawn-on"] == "original"
    original = workshop.root / "pictures/default/red/half.png"
    original.write_bytes(png(plain("lime")))
    assert client.get(f"/v1/images/{half_id}").json()["original"] == "changed"
    assert client.get(overlay).headers["x-drawn-on"] == "thumbnail"
    picture = client.get(f"/v1/images/{half_id}/picture")
    assert picture.headers["x-drawn-on"] == "thumbnail"
    corner = Image.open(io.BytesIO(picture.content)).getpixel((5, 5))
    assert isinstance(corner, tuple) and corner[0] > 240 and corner[1] < 20
    original.unlink()
    assert client.get(f"/v1/images/{half_id}").json()["original"] == "gone"
    answer = client.post("/v1/search", files={"image": RED}, data={"overlays": "true"}).json()
    drawn_on = {
        Path(match["uri"]).name: match["overlays"]["matched"]["drawn_on"] for match in answer["matches"]
    }
    assert drawn_on["half.png"] == "thumbnail" and drawn_on["lime.png"] == "original"


def test_overlays_of_stored_images_have_addresses_of_their_own(client: TestClient) -> None:
    half_id, red_id = id_of(client, "half.png"), id_of(client, "red.png")
    data = {"a_image_id": red_id, "b_image_id": half_id, "overlays": "true"}
    overlays = client.post("/v1/compare", data=data).json()["overlays"]
    tags = set()
    for side in ("query", "matched"):
        for part in ("factual", "counterfactual"):
            address = f"/v1/images/{half_id}/overlay?query={red_id}&side={side}&part={part}"
            response = client.get(address)
            assert response.headers["content-type"] == "image/png"
            ours, theirs = Image.open(io.BytesIO(response.content)), opened(overlays[side][part])
            assert np.array_equal(np.asarray(ours), np.asarray(theirs))
            tags.add(response.headers["etag"])
    assert len(tags) == 4


def test_the_heat_alone_lies_on_transparent(client: TestClient) -> None:
    half_id, red_id = id_of(client, "half.png"), id_of(client, "red.png")
    address = f"/v1/images/{half_id}/overlay?query={red_id}"
    over, alone = (client.get(f"{address}&style={style}") for style in ("overlay", "heat"))
    assert over.headers["etag"] != alone.headers["etag"]
    heat, painted = Image.open(io.BytesIO(alone.content)), Image.open(io.BytesIO(over.content))
    assert (heat.mode, painted.mode, heat.size) == ("RGBA", "RGB", painted.size)
    opacity = np.asarray(heat)[..., 3]
    assert opacity[:, : opacity.shape[1] // 3].min() > 100  # red, which the query has
    assert opacity[:, -opacity.shape[1] // 3 :].max() == 0


@pytest.mark.parametrize("what", ["thumbnail", "picture", "overlay?query=1"])
def test_what_was_seen_of_a_build_is_kept_by_the_browser(client: TestClient, what: str) -> None:
    address = f"/v1/images/{id_of(client, 'half.png')}/{what}"
    first = client.get(address)
    assert first.headers["cache-control"] == "private, no-cache"
    again = client.get(address, headers={"If-None-Match": f'"other", W/{first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    query = "&" if "?" in what else "?"
    named = client.get(f"{address}{query}build=1").headers["cache-control"]
    assert ("immutable" in named) == ("overlay" not in what)  # a build's encoder may be calibrated anew
    assert "immutable" not in client.get(f"{address}{query}build=2").headers["cache-control"]


@pytest.mark.parametrize(
    ("method", "path", "sent", "status", "kind"),
    [
        ("POST", "/v1/search", {}, 422, "invalid-question"),
        ("POST", "/v1/search", {"files": {"image": RED}, "data": {"image_id": 1}}, 422, "invalid-question"),
        ("POST", "/v1/search", {"files": {"image": RED}, "data": {"k": 1000}}, 422, "invalid-question"),
        ("POST", "/v1/search", {"files": {"image": RED}, "data": {"k": "many"}}, 422, "invalid-request"),
        ("POST", "/v1/search", {"data": {"image_id": 10**30}}, 422, "invalid-request"),
        (
            "POST",
            "/v1/search",
            {"files": {"image": RED}, "data": {"explained": "mood"}},
            422,
            "invalid-request",
        ),
        ("POST", "/v1/search", {"files": {"image": RED}, "data": {"label": "mauve"}}, 422, "unknown-label"),
        ("POST", "/v1/search", {"files": {"image": RED}, "data": {"gallery": "x"}}, 404, "gallery-not-found"),
        ("POST", "/v1/search", {"files": {"image": ("a.txt", b"words")}}, 422, "unreadable-image"),
        ("POST", "/v1/search", {"files": {"image": ("a.png", b"")}}, 422, "unreadable-image"),
        ("POST", "/v1/search", {"files": {"image": ("a.png", RED[1][:60])}}, 422, "unreadable-image"),
        ("POST", "/v1/search", {"files": {"image": ("b.png", png(plain("black")))}}, 422, "zero-embedding"),
        ("POST", "/v1/search", {"data": {"image_id": 4711}}, 404, "image-not-found"),
        ("POST", "/v1/compare", {"files": {"a": RED}}, 422, "invalid-question"),
        ("GET", "/v1/galleries/nowhere", {}, 404, "gallery-not-found"),
        ("GET", "/v1/galleries/..%2F..", {}, 404, "about:blank"),
        ("GET", "/v1/images/4711", {}, 404, "image-not-found"),
        ("GET", "/v1/images/0", {}, 422, "invalid-request"),
        ("GET", "/v1/images/one", {}, 422, "invalid-request"),
        ("GET", "/v1/images/1/overlay", {}, 422, "invalid-request"),
        ("GET", "/v1/images/1/overlay?query=4711", {}, 404, "image-not-found"),
        ("GET", "/nowhere", {}, 404, "about:blank"),
        ("PUT", "/v1/search", {}, 405, "about:blank"),
    ],
)
def test_every_refusal_is_a_problem(
    client: TestClient, method: str, path: str, sent: dict[str, Any], status: int, kind: str
) -> None:
    problem = refused(client.request(method, path, **sent), status, kind)
    if kind == "invalid-request":
        assert all(fault["location"] and fault["reason"] for fault in problem["errors"])


@pytest.mark.parametrize(
    "path", ["/page/../app.py", "/page//../app.py", "/page/../../pyproject.toml", "/page//etc/passwd"]
)
def test_no_path_leads_out_of_the_folder_of_the_page(workshop: Workshop, path: str) -> None:
    service = workshop.service()
    assert raw_status(service, "/page/page.css") == 200
    assert raw_status(service, path) == 404


def raw_status(service: ASGIApp, path: str) -> int:
    """The status of a GET of exactly this path, which every client would tidy up."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    scope = {"type": "http", "http_version": "1.1", "method": "GET", "scheme": "http", "path": path}
    more = {
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
    }
    asyncio.run(service({**scope, **more}, receive, send))
    return int(sent[0]["status"])


def test_an_upload_is_not_kept(
    client: TestClient, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kept() -> tuple[dict[Path, bytes], dict[str, int]]:
        files = {path: path.read_bytes() for path in workshop.root.rglob("*") if path.is_file()}
        with sqlite3.connect(workshop.root / "records.db") as records:
            tables = [
                name for (name,) in records.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            ]
            rows = {name: records.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}
        return {path: data for path, data in files.items() if "records.db" not in path.name}, rows

    (workshop.root / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(workshop.root / "temporary"))
    large = ("large.png", png(noise(1, size=(1000, 1000))))  # more than a form keeps in memory
    before = kept()
    assert len(before[0]) > 5 and before[1]["images"] == 5
    for fields in ({"image": large}, {"image": RED}):
        assert client.post("/v1/search", files=fields, data={"overlays": "true"}).status_code == 200
    assert client.post("/v1/compare", files={"a": large, "b": RED}).status_code == 200
    assert kept() == before


def test_a_broken_form_is_a_problem(client: TestClient) -> None:
    headers = {"content-type": "multipart/form-data; boundary=x"}
    refused(client.post("/v1/search", content=b"no form at all", headers=headers), 400, "about:blank")


def test_where_nothing_is_published_the_service_says_so(workshop: Workshop) -> None:
    client = workshop.client()
    refused(client.post("/v1/search", files={"image": RED}), 404, "nothing-published")
    assert client.get("/v1/galleries").json() == {"galleries": []}
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["reasons"]) == (503, ["No gallery is published yet."])
    assert client.get("/livez").json()["status"] == "live"


def test_a_service_that_cannot_read_its_gallery_says_so_and_leaks_nothing(workshop: Workshop) -> None:
    workshop.publish()
    client = workshop.client()
    assert client.get("/readyz").json() == {"status": "ready", "reasons": []}
    for manifest in (workshop.root / "home").rglob("builds/*.json"):
        manifest.unlink()
    broken = workshop.client()
    ready = broken.get("/readyz")
    assert ready.status_code == 503 and "CorruptGallery" in ready.json()["reasons"][0]
    problem = refused(broken.post("/v1/search", files={"image": RED}), 500, "internal-fault")
    assert broken.get("/v1/galleries/default").headers["x-content-type-options"] == "nosniff"
    assert str(workshop.root) not in json.dumps([problem, ready.json()])


@pytest.mark.parametrize(
    "error",
    [OperationalError("SELECT 1", {}, Exception("database is locked")), NoConnection("no connection")],
)
def test_records_that_cannot_be_read_at_the_moment_are_a_problem_of_the_moment(
    client: TestClient, workshop: Workshop, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def locked(galleries: object, name: str) -> int:
        raise error

    monkeypatch.setattr(type(workshop.galleries), "published_build", locked)
    response = client.get("/v1/galleries/default")
    problem = refused(response, 503, "records-unavailable")
    assert int(response.headers["retry-after"]) > 0
    assert "SELECT" not in json.dumps(problem)


def test_a_body_that_announces_too_many_bytes_is_refused(workshop: Workshop) -> None:
    workshop.publish()
    client = workshop.client(upload_max_bytes=50_000)
    large = ("large.png", png(noise(1, size=(300, 300))))
    refused(client.post("/v1/search", files={"image": large}), 413, "upload-too-large")
    assert client.post("/v1/compare", files={"a": RED, "b": HALF}).status_code == 200
    slightly = ("slightly.png", RED[1] + bytes(50_000))
    refused(client.post("/v1/search", files={"image": slightly}), 413, "upload-too-large")


def test_a_body_that_announces_nothing_is_counted_as_it_arrives(workshop: Workshop) -> None:
    workshop.publish()
    client = workshop.client(upload_max_bytes=50_000)

    def endless() -> Iterator[bytes]:
        yield b'--x\r\ncontent-disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
        for _ in range(100):
            yield bytes(10_000)

    headers = {"content-type": "multipart/form-data; boundary=x"}
    response = client.post("/v1/search", content=endless(), headers=headers)
    problem = refused(response, 413, "upload-too-large")
    assert "at most" in problem["detail"]


def test_many_questions_at_once_and_a_new_build_meanwhile_are_all_answered(workshop: Workshop) -> None:
    workshop.publish()
    client = workshop.client()
    pictures = [("q.png", png(noise(seed))) for seed in range(8)]
    alone = [client.post("/v1/search", files={"image": each}).json() for each in pictures]
    begun = threading.Event()

    def ask(turn: int) -> tuple[int, httpx2.Response]:
        if turn == 8:
            begun.set()
        return turn % 8, client.post("/v1/search", files={"image": pictures[turn % 8]})

    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(ask, range(48))
        begun.wait(10)
        workshop.publish(pictures={"grey/grey.png": plain("grey")})
        for which, response in answers:
            answer = response.json()
            assert response.status_code == 200
            assert len(answer["matches"]) == {1: 5, 2: 6}[answer["build"]]
            if answer["build"] == 1:
                assert answer["matches"] == alone[which]["matches"]
    assert client.post("/v1/search", files={"image": RED}).json()["build"] == 2


def test_every_operation_is_named_tagged_and_shows_an_example(client: TestClient) -> None:
    schema = client.get("/openapi.json").json()
    operations = {
        operation["operationId"]: operation
        for path in schema["paths"].values()
        for operation in path.values()
    }
    assert set(operations) == {
        "search",
        "search_batch",
        "get_kept_picture",
        "forget_query",
        "judge",
        "list_judgements",
        "revoke_judgement",
        "why_not",
        "compare",
        "list_galleries",
        "get_gallery",
        "get_image",
        "get_thumbnail",
        "get_picture",
        "get_overlay",
        "import_sources",
        "upload",
        "list_jobs",
        "get_job",
        "list_job_errors",
        "get_job_errors_table",
        "cancel_job",
        "get_map",
        "create_gallery",
        "delete_gallery",
        "list_builds",
        "activate_build",
        "list_encoders",
        "list_images",
        "add_image",
        "replace_image",
        "change_image",
        "delete_image",
        "list_removals",
        "revoke_removal",
        "list_unreadable",
        "get_session",
        "open_session",
        "close_session",
        "livez",
        "readyz",
    }
    for operation in operations.values():
        assert operation["tags"] and operation["summary"] and operation["description"]
        for status, response in operation["responses"].items():
            if status.startswith("4") or (status == "503" and operation["operationId"] != "readyz"):
                assert list(response["content"]) == [PROBLEM_JSON]
        content = operation["responses"].get("200", {}).get("content", {})
        assert "example" in content.get("application/json", {"example": None})
        assert "503" in operation["responses"] or operation["operationId"] == "livez"
    for embedding in ("search", "search_batch", "why_not", "compare"):
        assert "409" in operations[embedding]["responses"]
    assert "HTTPValidationError" not in json.dumps(schema)


@pytest.mark.parametrize(
    ("operation", "schema"),
    [
        ("search", search_schemas.SearchResponse),
        ("search_batch", batch.BatchResponse),
        ("judge", judgements.JudgementSchema),
        ("list_judgements", judgements.JudgementList),
        ("revoke_judgement", judgements.JudgementSchema),
        ("why_not", why_not.WhyNotResponse),
        ("compare", search_schemas.CompareResponse),
        ("list_galleries", galleries.GalleryList),
        ("get_map", map_schemas.GalleryMapSchema),
        ("get_gallery", galleries.GalleryDetail),
        ("get_image", galleries.ImageSchema),
        ("get_session", service.SessionSchema),
        ("open_session", service.SessionSchema),
        ("livez", service.Health),
        ("readyz", service.Health),
    ],
)
def test_the_examples_are_what_the_service_would_send(operation: str, schema: type[base.Schema]) -> None:
    example = examples.EXAMPLES[operation]
    assert list(schema.model_validate(example).model_dump(mode="json")) == list(example)


def test_the_page_is_served_and_may_load_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
    for asset in ("/page/page.css", "/page/page.js", "/page/links.js"):
        assert f'"{asset}"' in page.text
        assert client.get(asset).status_code == 200
    assert "<script>" not in page.text and "style=" not in page.text and "http" not in page.text


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST.:8000", 200),
        ("127.0.0.1:8000", 200),
        ("[::1]:8000", 200),
        ("192.168.1.20", 200),
        ("pictures.example:8000", 200),
        ("", 200),
        ("evil.example", 421),
        ("localhost.evil.example:8000", 421),
        ("127.0.0.1.evil.example", 421),
        ("[evil.example]", 421),
    ],
)
def test_a_page_elsewhere_cannot_reach_the_service_under_a_name_of_its_own(
    workshop: Workshop, host: str, status: int
) -> None:
    client = workshop.client(allowed_hosts="localhost, pictures.example")
    response = client.get("/v1/galleries", headers={"host": host})
    assert response.status_code == status
    if status == 421:
        refused(response, 421, "unknown-host")


def test_behind_a_proxy_every_name_may_be_let_in(workshop: Workshop) -> None:
    client = workshop.client(allowed_hosts="*")
    assert client.get("/v1/galleries", headers={"host": "evil.example"}).status_code == 200


def test_every_answer_forbids_sniffing_and_framing(client: TestClient) -> None:
    for path in ("/livez", "/v1/images/1/thumbnail", "/nowhere", "/page/page.js"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]


def test_a_parameter_that_is_given_twice_is_refused_unless_it_is_a_list(workshop: Workshop) -> None:
    workshop.publish()
    client = workshop.managed()
    refused = client.get("/v1/jobs?gallery=default&gallery=other")
    assert refused.status_code == 422 and "gallery is given 2 times" in refused.json()["detail"]
    assert client.get("/v1/jobs?state=done&state=failed").status_code == 200
    assert client.get("/livez?whatever=1&whatever=2").status_code == 200
