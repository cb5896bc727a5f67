"""Clients that open connections and do nothing with them, send heads byte by byte, or take no answer."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection

import httpx2
import pytest
from fastapi import FastAPI, Request
from starlette.responses import StreamingResponse

from search_api.edge.ending import Ending
from tests.search_api.serving import PATIENCE_S, until
from whyalike.commands.serve import _listen
from whyalike.serving import Server
from whyalike.settings import ServeSettings

MOST = 20
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


def who(request: Request) -> str:
    assert request.client
    return f"{request.url.scheme} {request.client.host}"


class Service:
    """A server over an app of three routes, which is told what it does."""

    def __init__(self, **settings: object) -> None:
        self.app = FastAPI()
        self.app.state.ending = Ending()
        self.gate = threading.Event()
        self.ended = threading.Event()
        self.app.get("/")(lambda: "answer")
        self.app.get("/slow")(lambda: self.gate.wait(PATIENCE_S))
        self.app.get("/who")(who)
        self.app.get("/endless")(lambda: StreamingResponse(self._endless()))
        self.server = Server(self.app, ServeSettings.model_validate(settings))
        self.listening = socket.create_server(("127.0.0.1", 0))

    def connect(self, sent: bytes = b"") -> socket.socket:
        connection = socket.create_connection(self.listening.getsockname(), timeout=PATIENCE_S)
        connection.sendall(sent)
        return connection

    def get(self, path: str = "/") -> int:
        host, port = self.listening.getsockname()
        with urllib.request.urlopen(f"http://{host}:{port}{path}", timeout=PATIENCE_S) as answer:
            return int(answer.status)

    async def _endless(self):  # type: ignore[no-untyped-def]
        try:
            while True:
                yield bytes(2**16)
                await asyncio.sleep(0)  # so that others come in between
        finally:
            self.ended.set()


@contextmanager
def running(**settings: object) -> Iterator[Service]:
    service = Service(**settings)
    thread = threading.Thread(target=service.server.run, kwargs={"sockets": [service.listening]})
    thread.start()
    try:
        until(lambda: service.server.started)
        yield service
    finally:
        service.gate.set()
        service.server.should_exit = True
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def is_over(connection: socket.socket) -> bool:
    """Whether the server has ended it, having sent nothing."""
    connection.settimeout(PATIENCE_S)
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_who_opens_many_connections_keeps_nobody_else_out() -> None:
    with running(connections=MOST) as service, ExitStack() as stack:
        for number in range(10 * MOST):
            stack.enter_context(service.connect(b"" if number % 2 else GET[:20]))
        assert service.get() == 200
        until(lambda: len(service.server.server_state.connections) <= MOST)
        assert service.get() == 200


def test_a_request_under_way_is_not_given_up_for_new_connections() -> None:
    with running(connections=3) as service, ExitStack() as stack:
        under_way = stack.enter_context(service.connect(GET.replace(b"/ ", b"/slow ", 1)))
        until(lambda: len(service.server.server_state.tasks) == 1)
        for _ in range(20):
            stack.enter_context(service.connect())
        assert service.get() == 200
        service.gate.set()
        assert under_way.recv(15) == b"HTTP/1.1 200 OK"


@pytest.mark.parametrize("first", [b"", GET], ids=["of the first request", "of a later one"])
def test_a_head_must_arrive_in_time_however_steadily_it_comes(first: bytes) -> None:
    with running(connection_seconds=0.5) as service, service.connect(first) as connection:
        if first:
            assert connection.recv(65536)
        began = time.monotonic()
        with pytest.raises(OSError, match=r"(?i)reset|pipe"):
            for number in range(200):
                connection.sendall(GET[number % 8 : number % 8 + 1])
                time.sleep(0.02)
        assert time.monotonic() - began > 0.3


def test_who_sends_nothing_is_not_waited_for() -> None:
    with running(connection_seconds=0.2) as service, service.connect() as connection:
        assert is_over(connection)


def test_who_takes_no_answer_is_not_waited_for() -> None:
    with running(connection_seconds=0.3) as service, service.connect(GET.replace(b"/ ", b"/endless ", 1)):
        assert service.ended.wait(PATIENCE_S)
        until(lambda: not service.server.server_state.tasks)


def test_a_connection_that_is_used_in_time_stays() -> None:
    with running(connection_seconds=1.0) as service:
        connection = HTTPConnection(*service.listening.getsockname(), timeout=PATIENCE_S)
        connection.connect()
        opened = connection.sock.getsockname()
        for _ in range(4):
            connection.request("GET", "/")
            assert connection.getresponse().read() == b'"answer"'
            time.sleep(0.4)
        assert connection.sock.getsockname() == opened, "it is the same connection"
        connection.close()


def test_a_slow_answer_is_no_idle_connection() -> None:
    with running(connection_seconds=0.5) as service:
        threading.Timer(1.2, service.gate.set).start()
        assert service.get("/slow") == 200


def test_an_idle_connection_stays_longer_than_clients_and_load_balancers_keep_it() -> None:
    httpx2_s, load_balancer_s = httpx2.Limits().keepalive_expiry or 0, 60
    service = Service()
    assert service.server.config.timeout_keep_alive > max(httpx2_s, load_balancer_s)
    service.listening.close()


@pytest.mark.parametrize(
    ("proxies", "seen"),
    [("", "http 127.0.0.1"), ("10.9.9.9", "http 127.0.0.1"), ("127.0.0.0/8, 10.9.9.9", "https 192.0.2.7")],
)
def test_only_a_trusted_proxy_says_whom_it_speaks_for(proxies: str, seen: str) -> None:
    forged = {"X-Forwarded-For": "6.6.6.6, 192.0.2.7, 10.9.9.9", "X-Forwarded-Proto": "https"}
    with running(trusted_proxies=proxies) as service:
        connection = HTTPConnection(*service.listening.getsockname(), timeout=PATIENCE_S)
        connection.request("GET", "/who", headers={**forged, "X-Forwarded-Host": "evil.example"})
        assert connection.getresponse().read().decode() == f'"{seen}"'
        connection.close()


def test_the_body_of_an_answer_does_not_wait_until_its_head_is_acknowledged() -> None:
    with _listen("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()):
        connection, _ = listening.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
