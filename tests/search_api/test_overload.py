"""Load beyond what may be: refused in order, never piled up; and the end of a service."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from search_api.app import create_app
from search_api.presence import Presence
from search_api.search import Searcher
from search_api.settings import ServiceSettings
from tests.search_api.conftest import Workshop
from tests.search_api.serving import PATIENCE_S, gauge, served, until
from tests.search_api.test_service import RED, refused

WAITING = 'whyalike_requests_waiting{lane="search"}'
IN_WORK = 'whyalike_requests_in_work{lane="search"}'
ROOT = Path(__file__).parents[2]


class Crowd:
    """People who ask at the same time."""

    def __init__(self, url: str, pool: ThreadPoolExecutor) -> None:
        self.url = url
        self._pool = pool

    def search(self) -> Future[httpx2.Response]:
        return self._pool.submit(
            httpx2.post, f"{self.url}/v1/search", files={"image": RED}, timeout=PATIENCE_S
        )

    def waits_for(self, *, work: int, line: int) -> None:
        until(lambda: (gauge(self.url, IN_WORK), gauge(self.url, WAITING)) == (work, line))


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Searches wait at it after they were decoded, until it is opened."""
    opened = threading.Event()
    ask = Searcher.ask

    def waiting(self: Searcher, *arguments: object, **options: object) -> object:
        assert opened.wait(PATIENCE_S)
        return ask(self, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Searcher, "ask", waiting)
    yield opened
    opened.set()


@pytest.fixture
def crowd_at(workshop: Workshop, gate: threading.Event) -> Iterator[Callable[..., Crowd]]:
    """A service with these settings, and a crowd in front of it."""
    workshop.publish()
    with ThreadPoolExecutor(8) as pool:
        running = []

        def start(**settings: object) -> Crowd:
            app = create_app(workshop.searcher(), service=ServiceSettings.model_validate(settings))
            running.append(served(app))
            return Crowd(running[-1].__enter__(), pool)

        yield start
        gate.set()
        for each in running:
            each.__exit__(None, None, None)


def test_who_finds_the_line_full_is_refused_at_once_and_all_others_are_answered(
    crowd_at: Callable[..., Crowd], gate: threading.Event
) -> None:
    crowd = crowd_at(searches_at_once=1, searches_waiting=2)
    answers = [crowd.search() for _ in range(3)]
    crowd.waits_for(work=1, line=2)
    late = crowd.search().result(PATIENCE_S)
    refused(late, 503, "overloaded")
    assert int(late.headers["retry-after"]) >= 1
    gate.set()
    assert [each.result(PATIENCE_S).status_code for each in answers] == [200, 200, 200]
    crowd.waits_for(work=0, line=0)
    assert gauge(crowd.url, 'whyalike_refusals_total{reason="overloaded"}') == 1


def test_who_has_waited_too_long_is_refused(crowd_at: Callable[..., Crowd], gate: threading.Event) -> None:
    crowd = crowd_at(searches_at_once=1, waiting_seconds=0.1)
    first = crowd.search()
    crowd.waits_for(work=1, line=0)
    for sent in ({"files": {"image": RED}}, {}):  # with a body, and without one
        response = httpx2.post(f"{crowd.url}/v1/search", timeout=PATIENCE_S, **sent)
        refused(response, 503, "overloaded")
    gate.set()
    assert first.result(PATIENCE_S).status_code == 200


def test_who_goes_away_leaves_the_line(crowd_at: Callable[..., Crowd], gate: threading.Event) -> None:
    crowd = crowd_at(searches_at_once=1, searches_waiting=1)
    first = crowd.search()
    crowd.waits_for(work=1, line=0)
    with sent_to(crowd.url):
        crowd.waits_for(work=1, line=1)
    crowd.waits_for(work=1, line=0)
    second = crowd.search()
    crowd.waits_for(work=1, line=1)
    gate.set()
    assert [each.result(PATIENCE_S).status_code for each in (first, second)] == [200, 200]


def test_what_nobody_waits_for_is_left_at_the_next_stage(
    crowd_at: Callable[..., Crowd], gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    noticed, end = threading.Event(), Presence.end

    def noticing(self: Presence) -> None:
        end(self)
        noticed.set()

    monkeypatch.setattr(Presence, "end", noticing)
    crowd = crowd_at()
    with sent_to(crowd.url):
        crowd.waits_for(work=1, line=0)
    refusals = 'whyalike_refusals_total{reason="abandoned"}'
    assert noticed.wait(PATIENCE_S)
    gate.set()
    until(lambda: gauge(crowd.url, refusals) == 1)
    crowd.waits_for(work=0, line=0)


def test_pictures_go_on_while_searches_wait(crowd_at: Callable[..., Crowd], gate: threading.Event) -> None:
    crowd = crowd_at(searches_at_once=1, searches_waiting=1)
    answers = [crowd.search() for _ in range(2)]
    crowd.waits_for(work=1, line=1)
    for path in ("/v1/images/1/thumbnail", "/v1/galleries", "/livez", "/readyz", "/"):
        assert httpx2.get(crowd.url + path, timeout=PATIENCE_S).status_code == 200
    gate.set()
    assert [each.result(PATIENCE_S).status_code for each in answers] == [200, 200]


def sent_to(url: str) -> socket.socket:
    """A connection on which a whole search was sent, whose answer nobody waits for once it is closed."""
    request = httpx2.Request("POST", f"{url}/v1/search", files={"image": RED})
    body = request.read()
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    connection = socket.create_connection((request.url.host, request.url.port), timeout=PATIENCE_S)
    connection.sendall(f"POST /v1/search HTTP/1.1\r\n{head}\r\n".encode() + body)
    return connection


def slow_sender(url: str) -> socket.socket:
    """A connection on which a search has begun to arrive."""
    host, port = urlsplit(url).hostname, urlsplit(url).port
    connection = socket.create_connection((host, port), timeout=PATIENCE_S)
    connection.sendall(
        b"POST /v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
        b"Content-Type: multipart/form-data; boundary=x\r\n\r\n--x"
    )
    return connection


def test_a_body_that_takes_too_long_ends_with_its_connection(crowd_at: Callable[..., Crowd]) -> None:
    crowd = crowd_at(body_seconds=0.2)
    with slow_sender(crowd.url) as connection:
        received = b""
        while part := connection.recv(65536):
            received += part
    assert received.startswith(b"HTTP/1.1 408 ") and b"slow-body" in received
    crowd.waits_for(work=0, line=0)


def test_a_slow_sender_keeps_nobody_from_being_answered(
    crowd_at: Callable[..., Crowd], gate: threading.Event
) -> None:
    gate.set()
    crowd = crowd_at(searches_at_once=1, searches_waiting=1)
    with slow_sender(crowd.url):
        crowd.waits_for(work=0, line=1)
        assert crowd.search().result(PATIENCE_S).status_code == 200


def test_a_service_that_ends_says_so_first_and_lets_searches_end(
    workshop: Workshop, gate: threading.Event
) -> None:
    workshop.publish()
    app = workshop.service()
    with served(app) as url, ThreadPoolExecutor(1) as pool:
        under_way = Crowd(url, pool).search()
        until(lambda: gauge(url, IN_WORK) == 1)
        app.state.ending.begin()
        ready = httpx2.get(f"{url}/readyz", timeout=PATIENCE_S)
        assert (ready.status_code, ready.json()["reasons"]) == (503, ["The service is shutting down."])
        late = httpx2.post(f"{url}/v1/search", files={"image": RED}, timeout=PATIENCE_S)
        refused(late, 503, "shutting-down")
        assert int(late.headers["retry-after"]) >= 1
        assert httpx2.get(f"{url}/livez", timeout=PATIENCE_S).status_code == 200
        threading.Timer(0.3, gate.set).start()
    assert under_way.result(PATIENCE_S).status_code == 200


STUBBORN = """
import signal, socket, sys, threading, time
from fastapi import FastAPI
from search_api.edge.ending import Ending
from whyalike import serving
from whyalike.settings import ServeSettings

signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as the command line does
serving.MARGIN_S = 0.2
app = FastAPI()
app.state.ending = Ending()

@app.get("/")
def stubborn():
    print("computing", flush=True)
    time.sleep(60)

listening = socket.create_server(("127.0.0.1", 0))
print(listening.getsockname()[1], flush=True)
settings = ServeSettings(drain_seconds=0.1, shutdown_seconds=1)
serving.Server(app, settings).run(sockets=[listening])
"""


def test_a_request_that_computes_for_ever_does_not_keep_the_service_from_ending() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", STUBBORN],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        text=True,
    )
    try:
        assert process.stdout
        port = int(process.stdout.readline())
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert process.stdout.readline() == "computing\n"
            process.terminate()
            assert process.wait(PATIENCE_S) == 143
    finally:
        process.kill()
        process.wait()
