"""Several processes on one port: they answer alike, count together, are replaced, and end together."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2 as httpx
import pytest
from fastapi import FastAPI

from search_api.edge.ending import Ending
from search_api.metrics import Metrics
from tests.children import children
from tests.whyalike.test_process import address, environment, start
from whyalike.serving import Server
from whyalike.settings import ServeSettings

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the trial finds the processes in /proc")

COUNTED = re.compile(r'^whyalike_requests_total\{[^}]*route="/v1/search"[^}]*\} ([\d.]+)$', re.MULTILINE)
WAIT_S = 90.0

TELLS_ITS_ID = """
import os, socket
if os.path.exists("{folder}/refuse"):
    raise SystemExit(3)
listening = socket.socket(fileno=int(os.environ["_WHYALIKE_LISTENING"]))
while True:
    taken, _ = listening.accept()
    taken.sendall(str(os.getpid()).encode())
    taken.close()
"""
"""What takes the place of a whole service, whose start takes seconds: it answers with its process' id."""

SUPERVISES = """
import socket, sys
from whyalike import child_processes, siblings
from whyalike.settings import ServeSettings
child_processes.PAUSE_S, siblings.FIRST_S = 0.1, {first_s}
listening = socket.create_server(("127.0.0.1", 0))
print(listening.getsockname()[1], flush=True)
command = [sys.executable, "-c", {child!r}]
sys.exit(siblings.Siblings(2, listening, command, ServeSettings(drain_seconds=0.2)).run())
"""

COUNTS = """
from pathlib import Path
from fastapi import FastAPI

from search_api.edge.ending import Ending
from search_api.metrics import Metrics
metrics = Metrics(Path({folder!r}))
metrics.answered("/v1/search", "POST", "200", 0.1)
metrics.lane("search")(2, 1)
"""


@contextmanager
def supervised(folder: Path, *, first_s: float) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Two light processes that are kept, and their port; after `first_s` none counts as newly begun."""
    program = SUPERVISES.format(first_s=first_s, child=TELLS_ITS_ID.format(folder=folder))
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        yield process, int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


def who_answers(port: int) -> int:
    """The process; who was killed before it said so is passed over."""
    while True:
        with (
            contextlib.suppress(ConnectionResetError),
            socket.create_connection(("127.0.0.1", port), timeout=WAIT_S) as connection,
        ):
            if told := connection.recv(100):
                return int(told)


def answering(port: int) -> set[int]:
    return {who_answers(port) for _ in range(30)}


def test_both_answer_and_one_that_is_killed_is_replaced_though_its_first_replacement_cannot_begin(
    tmp_path: Path,
) -> None:
    with supervised(tmp_path, first_s=0.0) as (process, port):
        until(lambda: len(answering(port)) == 2, what="not both of them answered")
        first, second = answering(port)
        (tmp_path / "refuse").touch()
        os.kill(first, signal.SIGKILL)
        until(lambda: answering(port) == {second}, what="who was killed answered")
        (tmp_path / "refuse").unlink()
        until(lambda: len(answering(port) - {first}) == 2, what="none took its place")
        assert second in answering(port)
        running = answering(port)
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_S) == 143
        assert not any(map(lives, running))
        with pytest.raises(ConnectionRefusedError):
            who_answers(port)


def test_who_cannot_begin_at_the_very_start_ends_all_with_its_exit_code(tmp_path: Path) -> None:
    (tmp_path / "refuse").touch()
    with supervised(tmp_path, first_s=60.0) as (process, _):
        assert process.wait(WAIT_S) == 3


def test_what_several_processes_count_is_added_up_and_a_file_that_was_just_made_is_left_out(
    tmp_path: Path,
) -> None:
    shared = environment(PROMETHEUS_MULTIPROC_DIR=str(tmp_path))
    for _ in range(2):
        subprocess.run([sys.executable, "-c", COUNTS.format(folder=str(tmp_path))], env=shared, check=True)
    (tmp_path / "counter_1.db").touch()
    text = Metrics(tmp_path).text().decode()
    assert list(map(float, COUNTED.findall(text))) == [2.0]
    assert 'whyalike_requests_in_work{lane="search"} 4.0' in text
    assert 'whyalike_requests_waiting{lane="search"} 2.0' in text


def until(reached: Callable[[], bool], *, what: str) -> None:
    end = time.monotonic() + WAIT_S
    while not reached():
        assert time.monotonic() < end, what
        time.sleep(0.1)


@contextmanager
def served(*options: object, **more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = start("serve", "--port", 0, "--processes", 2, *options, WHYALIKE_JOBS__WORKERS="0", **more)
    try:
        url = address(process)
        until(lambda: answers(url), what="it never answered")
        yield process, url
    finally:
        process.kill()
        process.wait()


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").status_code == 200
    except httpx.HTTPError:
        return False


def search(url: str, picture: bytes) -> dict[str, object]:
    answer = httpx.post(f"{url}/v1/search", files={"image": picture}, timeout=60)
    assert answer.status_code == 200, answer.text
    return {name: each for name, each in answer.json().items() if name != "timings"}


def searches_counted(url: str) -> float:
    return sum(map(float, COUNTED.findall(httpx.get(f"{url}/metrics").text)))


def lives(process: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False


def test_a_signal_that_two_pass_on_at_once_is_taken_as_one_and_a_later_one_ends_sooner(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    monkeypatch.setattr("whyalike.serving.time.monotonic", lambda: now)
    monkeypatch.setattr("whyalike.serving._later", lambda seconds, work: None)
    app = FastAPI()
    app.state.ending = Ending()
    server = Server(app, ServeSettings(drain_seconds=60))
    server.handle_exit(signal.SIGTERM, None)
    now += 0.5
    server.handle_exit(signal.SIGTERM, None)
    assert app.state.ending.has_begun and not server.should_exit
    now += 2.0
    server.handle_exit(signal.SIGTERM, None)
    assert server.should_exit


@pytest.mark.soak
def test_two_processes_answer_alike_count_together_are_replaced_and_end_together(
    gallery: str, pictures: Path
) -> None:
    picture = (pictures / "red" / "white.png").read_bytes()
    with served(WHYALIKE_SERVE__DRAIN_SECONDS="0.5") as (process, url):
        running = set(children(process.pid, "serve"))
        assert len(running) == 2
        first = search(url, picture)
        assert all(search(url, picture) == first for _ in range(9))
        until(lambda: searches_counted(url) == 10, what="the searches were not counted together")
        os.kill(min(running), signal.SIGKILL)
        until(lambda: len(set(children(process.pid, "serve")) - running) == 1, what="none took its place")
        assert search(url, picture) == first
        until(lambda: searches_counted(url) == 11, what="what the killed one had counted was lost")
        running = set(children(process.pid, "serve"))
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_S) == 143
        assert not any(map(lives, running))
        assert process.stderr and "Traceback" not in process.stderr.read()


@pytest.mark.soak
def test_none_outlives_the_process_that_started_them(gallery: str) -> None:
    with served() as (process, _):
        running = set(children(process.pid, "serve"))
        process.kill()
        until(lambda: not any(map(lives, running)), what="one lives on")
