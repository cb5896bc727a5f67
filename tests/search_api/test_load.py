"""Mixed traffic from a process of its own: each answer right, memory flat, all well after an overload."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.homes import new_home
from tests.search_api.load.memory import Memory, descendants, gone_but_mapped, sampled
from tests.search_api.load.service import make_gallery, running
from tests.search_api.serving import ROOT, until

MINUTES = float(os.environ.get("LOAD_MINUTES", "30"))
"""Of mixed traffic at the rated load, in `make soak`."""
PICTURES = 2_000
SAMPLE_PICTURES = 30
SAMPLE = ("--warm-up=0.5", "--rating=1", "--rated=4", "--overload=0", "--pause=0.1", "--at-once=6")
MOST_GROWTH = 1.05
"""Of memory, from the first tenth of the time at the rated load to the last."""
MOST_SPREAD = 5.0
"""The 99th percentile of searches at the rated load over their median."""
MOST_SLOWER = 1.5
"""The median after an overload over the one before."""
TENTHS = 10
EXPECTED = {"200", "201", "202", "400", "404", "410", "413", "415", "422"}
OVERLOADED = {*EXPECTED, "429", "503", "not sent"}


def traffic(url: str, folder: Path, *options: str) -> dict[str, Any]:
    """What came of it, as the other program prints it."""
    command = [sys.executable, "-m", "tests.search_api.load.traffic", url, str(folder), *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def require_right(told: dict[str, Any]) -> None:
    """No answer was wrong, none stale, none a fault of the service."""
    faults = [fault for phase in told["phases"].values() for fault in phase["faults"]]
    assert faults == [], "\n".join(faults)
    for name, phase in told["phases"].items():
        allowed = OVERLOADED if name == "overload" else EXPECTED
        assert set(phase["statuses"]) <= allowed, (name, phase["statuses"])
    assert told["changes"].get("given up", 0) == 0


def test_under_mixed_traffic_no_answer_is_wrong_or_stale_and_jobs_go_behind_searches(
    tmp_path: Path, make_home: Callable[[str], Path]
) -> None:
    home, pictures = make_home("home"), tmp_path / "pictures"
    make_gallery(home, pictures, SAMPLE_PICTURES)
    with running(home, pictures) as service:
        told = traffic(service.url, pictures, *SAMPLE)
        own, workers = _niceness(service.pid), [_niceness(each) for each in descendants(service.pid)]
    assert workers and min(workers) > own
    require_right(told)
    assert told["phases"]["rated"]["searches"]["count"] > 0 and told["changes"]["replace_folder"] > 0


@pytest.mark.soak
@pytest.mark.alone
@pytest.mark.timeout(MINUTES * 120 + 600)
def test_half_an_hour_of_mixed_traffic_is_answered_rightly_quickly_and_in_the_same_memory(
    tmp_path: Path, migrated_sqlite: Path, say: Callable[[str], None]
) -> None:
    home, pictures = new_home(tmp_path / "home", like=migrated_sqlite), tmp_path / "pictures"
    make_gallery(home, pictures, PICTURES)
    options = (f"--warm-up={max(30, MINUTES * 6)}", "--rating=20", f"--rated={MINUTES * 60}")
    with running(home, pictures) as service, sampled(service.pid) as memory:
        told = traffic(service.url, pictures, *options)
        httpx2.get(f"{service.url}/readyz")  # which lets go of galleries that are gone
        until(lambda: not gone_but_mapped(service.pid))
    growth = tell(told, memory, say)
    require_right(told)
    rated, recovery = (told["phases"][name]["searches"] for name in ("rated", "recovery"))
    assert growth < MOST_GROWTH
    assert rated["p99"] < MOST_SPREAD * rated["p50"]
    assert {"429", "503"} & set(told["phases"]["overload"]["statuses"]), "it was no overload"
    assert recovery["p50"] < MOST_SLOWER * rated["p50"]


def tell(told: dict[str, Any], memory: Memory, say: Callable[[str], None]) -> float:
    """Says the figures; returns the growth of memory that is of no file."""
    say(f"load: {MINUTES:g} minutes; largest rate {told['largest']:.1f}/s, rated {told['rate']:.1f}/s.")
    for name, phase in told["phases"].items():
        searches = phase["searches"]
        statuses = ", ".join(f"{count} × {status}" for status, count in phase["statuses"].items())
        quick = f"{searches['count']} searches, p50 {searches['p50']} ms, p99 {searches['p99']} ms"
        say(f"load, {name}: {quick}; {statuses}; {phase['faulty']} wrong.")
    kinds = told["phases"]["rated"]["kinds"]
    say("load, rated, p50/p99 in ms: " + ", ".join(f"{k} {v['p50']}/{v['p99']}" for k, v in kinds.items()))
    say(f"load, changes: {told['changes']}.")
    began, ended = told["phases"]["rated"]["began"], told["phases"]["rated"]["ended"]
    tenth = (ended - began) / TENTHS
    both = [a + b for a, b in zip(memory.service, memory.workers, strict=True)]
    growths = {}
    for name, of in (
        ("service", memory.service),
        ("workers", memory.workers),
        ("files in both", memory.mapped),
        ("its own in both", [a - b for a, b in zip(both, memory.mapped, strict=True)]),
    ):
        means = [memory.mean(of, began + n * tenth, began + (n + 1) * tenth) for n in range(TENTHS)]
        growths[name] = means[-1] / max(means[0], 1.0)
        say(f"load, memory of {name}, MB: {[round(each) for each in means]} (× {growths[name]:.3f}).")
    return growths["its own in both"]  # a page of a file counts for more when others that map it end


def _niceness(pid: int) -> int:
    return os.getpriority(os.PRIO_PROCESS, pid)
