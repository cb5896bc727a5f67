"""Processes that are kept: one that ends is told of once, and another one takes its place."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from whyalike.child_processes import Ended, KeptProcesses


def start() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read(); sys.exit(3)"], stdin=-1)


def end(process: subprocess.Popen[bytes]) -> None:
    process.communicate()
    assert process.returncode == 3


def test_one_that_lived_is_replaced_at_the_next_look_and_one_that_did_not_after_a_pause(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = time.monotonic()
    monkeypatch.setattr("whyalike.child_processes.time.monotonic", lambda: now)
    kept = KeptProcesses("Worker", 2, start)
    first, second = kept.running
    assert kept.look() == []
    now += 61
    end(first)
    assert kept.look() == [Ended(first.pid, 3, was_young=False)]
    assert kept.look() == [] and kept.running[1] is second
    third = kept.running[0]
    assert third is not first and third.poll() is None
    end(third)
    assert kept.look() == [Ended(third.pid, 3, was_young=True)]
    now += 4.9
    assert kept.look() == [] and kept.running[0] is third
    now += 0.2
    kept.look()
    assert kept.running[0] is not third
    assert [record.getMessage() for record in caplog.records] == [
        f"Worker {each.pid} ended (3); another one begins" for each in (first, third)
    ]
    for process in kept.running:
        end(process)
