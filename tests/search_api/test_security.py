"""What somebody would try who means harm to a service or to those who use it, in one list.

Where another test already guarantees a part, it is named here and not repeated.

- Traversal: names of galleries and images, here. The page's files: test_service. Archives, names of uploads,
  sources of imports, tables and links: test_imports.
- SSRF: over HTTP, here: names that lead inside, other schemes, redirects, rebinding. Every private network,
  certificates and sizes: tests/gallery/test_fetching.
- Leakage: what a signed URL holds, here. Keys: test_access. Ids of kept queries: test_keeping. Uploads on the
  disk: test_service.
- Scopes: every operation by every lesser key, and by other spellings of its path, here. Wrong, revoked and
  expired keys: test_access.
- Oversize bodies: of every operation that takes one, here. Those that announce nothing: test_service.
  Slow ones: test_overload. Broken ones: test_hostile_uploads.
- Headers: what is asked for cannot become one, here. Request ids: test_observing. Hosts: test_service.
- Script in labels and file names: data, under a policy that runs none, and the page writes no markup.
- Floods: guesses, strangers and what costs more than one request: test_rates. Idle and slow connections, and
  trust in proxies: tests/whyalike/test_connections.
- What stays behind: cookies, caches of browsers, scripts of others, here and in test_access.
- Guessing kept queries: their ids, and where they are told, here. Wrong ids: test_keeping.
"""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from pydantic import ValidationError

from gallery.access.key import SCOPES
from gallery.settings import FetchingSettings
from search_api.app import create_app
from search_api.destinations import scope_of
from search_api.headers import SWAGGER_UI
from search_api.settings import ServiceSettings
from tests.search_api.conftest import Workshop
from tests.search_api.guarded import Guarded, guarded
from tests.search_api.test_service import RED, raw_status, refused
from tests.toys import plain

PAGE = Path(__file__).parents[2] / "search_api" / "page"
SCRIPT = "<script>alert(1)</script>"
WAYS_OUT = ["..", "../..", "..\\..", "/etc", "a/../../b", "~", "default\0", "C:", "....//"]
NO_IDS = ["..%2f..%2frecords.db", "1%2f..%2f..", "%2e%2e", "1%00", "-1", "0x1", "１"]
SAID_OF_AN_IMAGE = {"{name}": "default", "{image_id}": "1"}


def operations(client: TestClient) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path with something in place of its parameters, and description of every operation."""
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        for method, operation in methods.items():
            filled = path
            for parameter, value in SAID_OF_AN_IMAGE.items():
                filled = filled.replace(parameter, value)
            yield method.upper(), re.sub(r"\{\w+\}", "1", filled), operation


def below(folder: Path) -> set[Path]:
    """What lies there, but for what SQLite keeps beside its file while it is open."""
    return {path for path in folder.rglob("*") if not path.name.endswith(("-wal", "-shm"))}


def test_no_name_of_a_gallery_leads_out_of_the_home(workshop: Workshop) -> None:
    client = workshop.managed()
    before = below(workshop.root.parent)
    for way in WAYS_OUT:
        name = quote(way, safe="")
        answers = [
            client.get(f"/v1/galleries/{name}"),
            client.post(f"/v1/galleries/{name}/uploads", files={"files": RED}),
            client.post(f"/v1/galleries/{name}/imports", json={}),
            client.post("/v1/search", files={"image": RED}, data={"gallery": way}),
        ]
        assert {each.status_code for each in answers} <= {404, 405, 422}, way
    assert below(workshop.root.parent) == before


def test_no_id_of_an_image_is_a_path(workshop: Workshop) -> None:
    workshop.publish()
    client = workshop.client()
    for way in NO_IDS:
        for end in ("", "/thumbnail", "/picture", "/overlay?query=1"):
            assert client.get(f"/v1/images/{way}{end}").status_code in {404, 422}, way


@pytest.fixture
def inside() -> Iterator[tuple[int, list[str]]]:
    """A server on this machine that is nobody's business: its port, and the paths that it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(302 if self.path == "/away" else 200)
            self.send_header("Location", f"http://127.0.0.3:{server.server_port}/secret")
            self.send_header("Content-Length", str(len(RED[1])))
            self.end_headers()
            self.wfile.write(RED[1])

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("", 0), Handler)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server.server_port, asked
    server.shutdown()
    server.server_close()


def test_no_url_of_a_query_reaches_what_is_inside(workshop: Workshop, inside: tuple[int, list[str]]) -> None:
    workshop.publish()
    port, asked = inside
    client = workshop.client(url_queries=True)
    for url in (
        f"http://localhost:{port}/a.png",
        f"http://2130706433:{port}/a.png",
        f"http://0x7f.1:{port}/a.png",
        f"http://[::ffff:127.0.0.1]:{port}/a.png",
        f"http://user@127.0.0.1:{port}/a.png",
        f"http://0:{port}/a.png",
        "http://169.254.169.254/latest/meta-data/",
        "gopher://127.0.0.1/",
        "file:///etc/passwd",
        str(workshop.root / "pictures"),
    ):
        refused(client.post("/v1/search", data={"image_url": url}), 422, "fetch-refused")
    assert asked == []


def test_a_name_that_leads_inside_when_it_is_asked_again_gains_nothing(
    workshop: Workshop, inside: tuple[int, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop.publish()
    port, asked = inside
    addresses = iter(["127.0.0.2", *["127.0.0.3"] * 100])
    resolve = socket.getaddrinfo

    def rebinding(host: Any, *rest: Any, **more: Any) -> Any:
        return resolve(next(addresses) if host == "rebinding.test" else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    fetching = FetchingSettings(allowed_networks="127.0.0.2/32")
    app = create_app(workshop.searcher(url_queries=True, fetching=fetching))
    client = TestClient(app, base_url="http://localhost")
    sent = {"image_url": f"http://rebinding.test:{port}/first"}
    first = client.post("/v1/search", data=sent)
    assert (first.status_code, asked) == (200, ["/first"]), "asked at the address that was looked at"
    again = client.post("/v1/search", data={**sent, "image_url": f"http://rebinding.test:{port}/second"})
    assert again.status_code in {200, 422} and "/secret" not in asked
    led = client.post("/v1/search", data={"image_url": f"http://127.0.0.2:{port}/away"})
    refused(led, 422, "fetch-refused")
    assert "/secret" not in asked


def test_what_a_signed_url_holds_is_in_no_answer_and_no_log(
    workshop: Workshop, inside: tuple[int, list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    workshop.publish()
    caplog.set_level(logging.DEBUG)
    port, _ = inside
    for networks in ("127.0.0.2/32", ""):
        fetching = FetchingSettings(allowed_networks=networks)
        client = TestClient(
            create_app(workshop.searcher(url_queries=True, fetching=fetching)), base_url="http://localhost"
        )
        url = f"http://127.0.0.2:{port}/a.png?signature=hunter2"
        answer = client.post("/v1/search", data={"image_url": url})
        assert answer.status_code == (200 if networks else 422) and "hunter2" not in answer.text
    ours = [
        each for each in caplog.records if not each.name.startswith(("httpx", "httpcore", "python_multipart"))
    ]
    assert not [each for each in ours if "hunter2" in each.getMessage() + str(each.__dict__)]


@pytest.fixture
def service(workshop: Workshop) -> Guarded:
    workshop.publish()
    return guarded(workshop, requests_per_minute=0, searches_per_minute=0, failures_per_minute=0)


def test_no_operation_is_done_for_a_lesser_key(service: Guarded) -> None:
    clients = {scope: service.client(scope) for scope in SCOPES}
    nobody, tried = service.client(), 0
    for method, path, operation in operations(nobody):
        wanted = scope_of(operation["operationId"], method)
        if wanted is None:
            continue
        refused(nobody.request(method, path), 401, "key-required")
        for lesser in SCOPES[: SCOPES.index(wanted)]:
            refused(clients[lesser].request(method, path), 403, "scope-missing")
            tried += 1
    assert tried > 5


def test_no_other_spelling_of_a_path_needs_less(service: Guarded) -> None:
    reader = service.client("read")
    for path in (
        "/v1/galleries/default/",
        "//v1/galleries/default",
        "/V1/galleries/default",
        "/v1/galleries/default%2f",
        "/page/../v1/galleries/default",
        "/docs/../v1/galleries/default",
        "/v1/%67alleries/default",
        "/v1/galleries/default;a=b",
    ):
        assert reader.delete(path).status_code in {403, 404, 405}, path
        assert raw_status(service.app, path) in {401, 404}, path
    for more in ({"X-HTTP-Method-Override": "DELETE"}, {"X-Original-URL": "/v1/galleries/default"}):
        refused(reader.post("/v1/galleries/default/imports", headers=more, json={}), 403, "scope-missing")
        refused(service.client().get("/v1/galleries", headers=more), 401, "key-required")


def test_no_operation_takes_a_body_beyond_its_limit(service: Guarded) -> None:
    admin = service.client("admin")
    tried = 0
    for method, path, operation in operations(admin):
        if "requestBody" in operation:
            headers = {"Content-Length": str(10**13), "Content-Type": "application/json"}
            told = admin.request(method, path, content=b"{}", headers=headers)
            assert told.headers["connection"] == "close"
            refused(told, 413, "upload-too-large")
            tried += 1
    assert tried > 5


def test_nothing_that_is_asked_for_becomes_a_header(workshop: Workshop) -> None:
    workshop.publish()
    client = workshop.managed()
    injected = "a\r\nSet-Cookie: stolen=1\r\n\r\n<script>"
    answers = [
        client.get(f"/v1/galleries/{quote(injected, safe='')}"),
        client.get("/v1/images/1", params={"gallery": injected}),
        client.get("/v1/images/1/thumbnail", params={"gallery": injected, "build": injected}),
        client.get(f"/page/{quote(injected, safe='')}"),
        client.get(f"/{quote(injected, safe='')}/"),
        client.post("/v1/search", files={"image": (injected, RED[1])}, data={"gallery": injected}),
        client.post("/v1/search", files={"image": (injected, RED[1])}),
        client.post(
            "/v1/galleries/new/uploads",
            files={"files": (injected, RED[1])},
            data={"encoder": "toy", "label": injected},
        ),
        client.get("/v1/jobs", params={"gallery": injected}),
    ]
    for answer in answers:
        told = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        assert "set-cookie" not in answer.headers and "stolen" not in told
        assert answer.headers["content-type"].partition(";")[0] in {
            "application/json",
            "application/problem+json",
        }


def test_script_in_a_label_or_a_file_name_stays_text(workshop: Workshop) -> None:
    workshop.publish(pictures={f"<img src=x onerror=alert(1)>/{SCRIPT.replace('/', '')}.png": plain("red")})
    client = workshop.client()
    answers = [
        client.post("/v1/search", files={"image": (SCRIPT, RED[1])}),
        client.get("/v1/images/1"),
        client.get("/v1/galleries/default"),
        client.get(f"/v1/galleries/{quote(SCRIPT, safe='')}"),
    ]
    assert "onerror=alert" in answers[0].text
    for answer in answers:
        assert (
            answer.headers["content-type"].startswith("application/")
            and "json" in answer.headers["content-type"]
        )
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_the_page_runs_nothing_but_its_own_script_and_writes_no_markup(workshop: Workshop) -> None:
    page = workshop.client().get("/")
    policy = dict(each.split(" ", 1) for each in page.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'" and policy["script-src"] == "'self'"
    assert policy["base-uri"] == "'none'" and policy["form-action"] == "'none'"
    writes = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc|setHTML|"
        r"createContextualFragment|javascript:|setAttribute\(\s*[\"']on"
    )
    scripts = list(PAGE.rglob("*.js"))
    assert scripts
    for script in scripts:
        assert not writes.findall(script.read_text(encoding="utf-8")), script.name
    for html in PAGE.rglob("*.html"):
        assert not re.findall(r"\son\w+=|<script(?![^>]*\ssrc=)", html.read_text(encoding="utf-8")), html.name


def test_no_answer_is_kept_by_a_browser_but_pictures_for_who_is_signed_in(service: Guarded) -> None:
    reader = service.client("read")
    for path in (
        "/v1/galleries",
        "/v1/images/1",
        "/v1/images/99/thumbnail",
        "/v1/session",
        "/metrics",
        "/nowhere",
    ):
        assert reader.get(path).headers["cache-control"] == "no-store", path
    assert service.client().get("/v1/images/1/thumbnail").headers["cache-control"] == "no-store"
    assert reader.post("/v1/search", files={"image": RED}).headers["cache-control"] == "no-store"
    for path in ("/v1/images/1/thumbnail?build=1", "/v1/images/1/picture", "/v1/images/1/overlay?query=2"):
        told = reader.get(path).headers
        assert "private" in told["cache-control"] and told["vary"] == "Authorization, Cookie", path
        again = reader.get(path, headers={"If-None-Match": told["etag"]})
        assert again.status_code == 304 and again.headers["vary"] == "Authorization, Cookie"
    assert service.client().get("/page/page.css").headers["cache-control"] == "no-cache"


def test_who_signs_out_leaves_no_pictures_in_the_browser(service: Guarded) -> None:
    left = service.client().delete("/v1/session", headers={"Origin": "http://localhost"})
    assert left.headers["clear-site-data"] == '"cache"'


@pytest.mark.parametrize("proxies", ["*", "0.0.0.0/0", "::/0", "10.0.0.1, proxy.example"])
def test_not_everybody_is_believed_where_a_request_comes_from(proxies: str) -> None:
    with pytest.raises(ValidationError, match=r"believe everybody|no address"):
        ServiceSettings(trusted_proxies=proxies)
    assert ServiceSettings(trusted_proxies="10.0.0.1, fd00::/8").trusted_proxies


def test_the_page_of_the_api_runs_no_script_but_one_that_is_known_bit_by_bit(workshop: Workshop) -> None:
    page = workshop.client().get("/docs")
    policy = dict(each.split(" ", 1) for each in page.headers["content-security-policy"].split("; "))
    loaded = re.findall(r"<(?:script|link)[^>]*>", page.text)
    elsewhere = [each for each in loaded if "https://" in each]
    assert policy["script-src"] == f"'self' {SWAGGER_UI}" and policy["connect-src"] == "'self'"
    assert len(elsewhere) == 2 and len(loaded) == 4
    for each in elsewhere:
        assert SWAGGER_UI in each and 'integrity="sha384-' in each and 'crossorigin="anonymous"' in each
    assert workshop.client().get("/page/docs.js").status_code == 200


def test_ids_of_kept_queries_cannot_be_guessed_and_are_told_to_nobody_else(service: Guarded) -> None:
    reader, other = service.client("read"), service.client("admin")
    kept = [
        reader.post("/v1/search", files={"image": RED}, data={"keep": 60}).json()["query"]["query_id"]
        for _ in range(5)
    ]
    assert len(set(kept)) == 5 and all(len(each) >= 22 for each in kept), "at least 128 bits of chance"
    assert len({each[:6] for each in kept}) == 5, "none begins as another one does"
    told = [other.request(method, path) for method, path, _ in operations(other) if method == "GET"]
    told += [other.get("/metrics"), other.post("/v1/search", files={"image": RED})]
    assert not [each for each in told if any(query_id in each.text for query_id in kept)]
    assert not [each for each in told if any(query_id in str(each.headers) for query_id in kept)]
