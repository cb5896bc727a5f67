"""Jobs in worker processes: started by the service, killed at their work, looked at on the command line."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gallery.jobs.board import JobBoard
from gallery.jobs.job import Job
from gallery.jobs.requests import EncoderWish, ImportRequest
from tests.toys import noise, write_folder
from tests.whyalike.conftest import Run
from tests.whyalike.test_process import address, start
from whyalike.job_tables import open_board

PICTURES = 120
PATIENCE_S = 60.0


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Pictures enough for a worker to be killed among them; small steps, so that some are kept by then."""
    for name, value in {"BATCH_SIZE": "2", "SEGMENT_SIZE": "4", "DECODING_PROCESSES": "0"}.items():
        monkeypatch.setenv(f"WHYALIKE_INDEXING__{name}", value)
    monkeypatch.setenv("WHYALIKE_JOBS__POLL_SECONDS", "0.05")
    monkeypatch.setenv("WHYALIKE_JOBS__IMPORT_SOURCES", str(tmp_path / "root"))
    return write_folder(tmp_path / "root", {f"{n}.png": noise(n, size=(16, 16)) for n in range(PICTURES)})


@pytest.fixture
def ask(root: Path, checkpoint: Path) -> Callable[[JobBoard], Job]:
    request = ImportRequest(sources=[str(root)], encoder=EncoderWish(checkpoint=str(checkpoint)))
    return lambda board: board.ask(request, gallery="g")


def wait_until(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_job_whose_worker_is_killed_is_finished_by_another_one_which_embeds_nothing_twice(
    home: Path, each_database: None, ask: Callable[[JobBoard], Job], run: Run
) -> None:
    board = open_board()
    job = ask(board)
    first = start("worker", "--device", "cpu")
    wait_until(lambda: len(list((home / "galleries").glob("g/segments/[0-9a-f]*"))) >= 3)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    assert board.get(job.id).state == "running"

    second = start("worker", "--once", "--device", "cpu")
    assert second.wait(PATIENCE_S) == 0

    done = board.get(job.id)
    assert (done.state, done.attempts, done.reason) == ("done", 2, None)
    assert done.outcome is not None and done.outcome["added"] == PICTURES
    assert 0 < done.outcome["embedded"] <= PICTURES - 8, "what the first one had kept was not embedded again"
    shown = run("jobs", "show", job.id, "--json")
    assert json.loads(shown.stdout)["state"] == "done"
    assert "g" in run("jobs", "list").stdout and "done" in run("jobs", "list").stdout


@pytest.mark.soak
def test_a_worker_that_is_told_to_end_gives_its_job_back(
    home: Path, ask: Callable[[JobBoard], Job], run: Run
) -> None:
    board = open_board()
    job = ask(board)
    worker = start("worker", "--device", "cpu")
    wait_until(lambda: list((home / "galleries").glob("g/segments/[0-9a-f]*")))
    worker.terminate()
    assert worker.wait(PATIENCE_S) == 143
    assert (board.get(job.id).state, board.get(job.id).attempts) == ("queued", 0)
    assert run("jobs", "cancel", job.id).exit_code == 0
    assert board.get(job.id).state == "cancelled"
    refused = run("jobs", "show", 99)
    assert refused.exit_code == 4 and "no job 99" in refused.stderr


def test_the_service_starts_a_worker_that_ends_with_it(ask: Callable[[JobBoard], Job], run: Run) -> None:
    board = open_board()
    job = ask(board)
    service = start("serve", "--port", 0, "--device", "cpu")
    try:
        address(service)
        wait_until(lambda: board.get(job.id).state == "done")
        again = ask(board)
        wait_until(lambda: board.get(again.id).state == "done")
        os.kill(service.pid, signal.SIGKILL)
        service.wait()
        time.sleep(0.5)
        left = ask(board)
        time.sleep(0.5)
        assert board.get(left.id).state == "queued", "its worker does not outlive the service"
    finally:
        service.kill()
