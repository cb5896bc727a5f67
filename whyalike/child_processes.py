"""Processes that this one starts, and that must not outlive it; loads nothing that computes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

PARENT = "_WHYALIKE_PARENT"
"""Names the process that one must not outlive; set where one is started, and by nobody else."""

NICENESS = 10
"""Of the workers that the service starts: on the cores that they share, searches go first."""

LAST_BREATH_S = 10.0
"""What a worker that is told to stop may take to give its job back, before it is killed."""


@contextmanager
def started_workers(count: int, *options: str) -> Iterator[list[subprocess.Popen[bytes]]]:
    """So many worker processes with these options while the block runs; they end with this process."""
    command = [sys.executable, "-m", "whyalike", "worker", *options]
    environment = {**os.environ, PARENT: str(os.getpid())}
    workers = [
        subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, start_new_session=True)
        for _ in range(count)
    ]  # in sessions of their own: Ctrl-C is for this process, which tells them
    try:
        yield workers
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            try:
                worker.wait(LAST_BREATH_S)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()


def go_behind_searches() -> None:
    """This process has what the service leaves of the cores, where the system knows priorities."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)


def is_orphaned(environment_parent: str | None) -> bool:
    """Whether the process that started this one, if it was named so, is gone."""
    return environment_parent is not None and os.getppid() != int(environment_parent)
