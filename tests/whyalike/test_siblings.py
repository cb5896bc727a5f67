"""Several processes on one port: they answer alike, count together, are replaced, and end together."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2 as httpx
import pytest

from tests.whyalike.test_process import address, start

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the trial finds the processes in /proc")

COUNTED = re.compile(r'^whyalike_requests_total\{[^}]*route="/v1/search"[^}]*\} ([\d.]+)$', re.MULTILINE)
WAIT_S = 90.0


def siblings_of(parent: int) -> set[int]:
    """The processes of the service that this one has started."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            ancestor = (process / "stat").read_text().rpartition(")")[2].split()[1]
            if int(ancestor) == parent and b"serve" in (process / "cmdline").read_bytes():
                found.add(int(process.name))
        except OSError:
            continue
    return found


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


def lives(process: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False


def test_two_processes_answer_alike_count_together_are_replaced_and_end_together(
    gallery: str, pictures: Path
) -> None:
    picture = (pictures / "red" / "white.png").read_bytes()
    with served(WHYALIKE_SERVE__DRAIN_SECONDS="0.5") as (process, url):
        running = siblings_of(process.pid)
        assert len(running) == 2
        first = search(url, picture)
        assert all(search(url, picture) == first for _ in range(9))
        assert sum(map(float, COUNTED.findall(httpx.get(f"{url}/metrics").text))) == 10
        os.kill(min(running), signal.SIGKILL)
        until(lambda: len(siblings_of(process.pid) - running) == 1, what="none took its place")
        assert search(url, picture) == first
        assert sum(map(float, COUNTED.findall(httpx.get(f"{url}/metrics").text))) == 11
        running = siblings_of(process.pid)
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_S) == 143
        assert not any(map(lives, running))
        assert process.stderr and "Traceback" not in process.stderr.read()


def test_who_cannot_begin_ends_all_of_them_with_its_reason(gallery: str) -> None:
    process = start("serve", "--port", 0, "--processes", 2, "--device", "cuda", "--runtime", "onnx")
    assert process.wait(WAIT_S) == 2
    assert process.stderr and "ONNX Runtime computes on the CPU here, not on cuda" in process.stderr.read()


@pytest.mark.soak
def test_none_outlives_the_process_that_started_them(gallery: str) -> None:
    with served() as (process, _):
        running = siblings_of(process.pid)
        process.kill()
        until(lambda: not any(map(lives, running)), what="one lives on")
