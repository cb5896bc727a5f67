"""The command line as a process of its own: how fast, how light, and how it ends."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.error import HTTPError

import pytest

from tests.whyalike.conftest import Run

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "whyalike"]
HELP_SECONDS = 0.5
"""Of CPU time: what a person waits for help on an idle machine."""
HEAVY = re.compile(
    r"\| +(torch|numpy|sqlalchemy|faiss|fastapi|PIL|matplotlib|siamese|gallery)$", re.MULTILINE
)


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **more}


def start(*arguments: object, **more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        env=environment(**more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_help_is_instant() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([*COMMAND, "--help"], env=environment(), check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < HELP_SECONDS


@pytest.mark.parametrize("verb", ["", "train", "search", "serve"])
def test_help_loads_nothing_heavy(verb: str) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "whyalike", *filter(None, [verb]), "--help"]
    done = subprocess.run(command, env=environment(), check=True, capture_output=True, text=True)
    assert "Usage:" in done.stdout and not HEAVY.findall(done.stderr)


def test_a_reader_that_goes_away_is_no_error(run: Run, gallery: str, pictures: Path) -> None:
    process = start("search", pictures / "red" / "white.png", "-k", 12, "--json")
    assert process.stdout and process.stderr
    process.stdout.close()
    assert process.wait(60) == 141
    assert "rror" not in process.stderr.read()


def test_progress_of_a_process_is_plain_lines_on_stderr(pictures: Path, checkpoint: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "index", str(pictures), "--checkpoint", str(checkpoint), "--json"],
        env=environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    assert json.loads(done.stdout)["added"] == 12
    assert "indexing: 12 in " in done.stderr and "\x1b" not in done.stderr and "\r" not in done.stderr


def address(process: subprocess.Popen[str]) -> str:
    assert process.stderr
    said = process.stderr.readline()
    found = re.search(r"http://[\d.]+:\d+", said)
    assert found, said
    return found.group()


def status_and_body(url: str, key: str = "") -> tuple[int, str]:
    asked = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"} if key else {})
    for _ in range(100):
        try:
            with urllib.request.urlopen(asked, timeout=10) as response:
                return response.status, response.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"{url} never answered")


@pytest.mark.parametrize(("ending", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_service_answers_and_ends_when_told(
    run: Run, gallery: str, ending: signal.Signals, code: int
) -> None:
    process = start("serve", "--port", 0)
    try:
        assert status_and_body(address(process) + "/readyz")[0] == 200
        process.send_signal(ending)
        assert process.wait(60) == code
        assert process.stderr and "Traceback" not in process.stderr.read()
    finally:
        process.kill()


def test_the_service_serves_before_anything_is_published() -> None:
    process = start("serve", "--port", 0)
    try:
        url = address(process)
        assert status_and_body(url + "/livez")[0] == 200
        status, body = status_and_body(url + "/readyz")
        assert status == 503 and json.loads(body)["reasons"]
    finally:
        process.kill()
        process.wait()


def test_a_service_that_others_reach_asks_for_keys_logs_json_and_says_first_that_it_ends(
    run: Run, gallery: str
) -> None:
    key = run("keys", "create", "operator").stdout.strip()
    process = start("serve", "--host", "0.0.0.0", "--port", 0, WHYALIKE_SERVE__DRAIN_SECONDS="1")
    try:
        url = address(process).replace("0.0.0.0", "127.0.0.1")
        assert status_and_body(url + "/v1/galleries")[0] == 401
        assert gallery in status_and_body(url + "/v1/galleries", key)[1]
        assert "whyalike_requests_total" in status_and_body(url + "/metrics", key)[1]
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        status, body = status_and_body(url + "/readyz")
        assert status == 503 and "shutting down" in body
        assert process.wait(60) == 143
        assert process.stderr
        lines = [json.loads(line) for line in process.stderr.read().splitlines()]
        told = [(line["route"], line["status"]) for line in lines if "route" in line]
        assert ("/v1/galleries", 401) in told and ("/v1/galleries", 200) in told and ("/readyz", 503) in told
        assert key not in str(lines)
    finally:
        process.kill()
    (used,) = json.loads(run("keys", "list", "--json").stdout)["keys"]
    assert used["last_used_at"]
