"""Processes that this one starts, and that must not outlive it; loads nothing that computes."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

PARENT = "_WHYALIKE_PARENT"
"""Names the process that one must not outlive; set where one is started, and by nobody else."""

NICENESS = 10
"""Of the workers that the service starts: on the cores that they share, searches go first."""

LAST_BREATH_S = 10.0
"""What a worker that is told to stop may take to give its job back, before it is killed."""


LOOK_S = 0.2
"""How often it is looked whether all of them live."""
FIRST_S = 60.0
"""Who ends so soon may be one that cannot begin, and then the next one cannot either."""
PAUSE_S = 5.0
"""Before another one begins in the place of such a one."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that ended by itself: its id, its exit code (a negative one is a signal), and its age."""

    pid: int
    code: int
    was_young: bool


class KeptProcesses:
    """So many processes of a kind; where one ends by itself, another one takes its place."""

    def __init__(self, kind: str, count: int, start: Callable[[], subprocess.Popen[bytes]]) -> None:
        """`kind` is what the log calls one of them."""
        self._kind = kind
        self._start = start
        self._since = [time.monotonic()] * count
        self._due: dict[int, float] = {}
        self.running = [start() for _ in range(count)]

    def look(self) -> list[Ended]:
        """Those that have ended since the last look; others are started in their places, soon or at once."""
        found, now = [], time.monotonic()
        for place, process in enumerate(self.running):
            code = process.poll()
            if code is None:
                continue
            if place not in self._due:
                was_young = now - self._since[place] < FIRST_S
                found.append(Ended(process.pid, code, was_young))
                log.error("%s %s ended (%s); another one begins", self._kind, process.pid, code)
                self._due[place] = now + (PAUSE_S if was_young else 0.0)
            elif now >= self._due[place]:
                del self._due[place]
                self._since[place] = now
                self.running[place] = self._start()
        return found


@contextmanager
def started_workers(count: int, *options: str) -> Iterator[None]:
    """So many worker processes with these options while the block runs; they end with this process."""
    command = [sys.executable, "-m", "whyalike", "worker", *options]
    environment = {**os.environ, PARENT: str(os.getpid())}

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for this process, which tells them
        )

    kept, over = KeptProcesses("Worker", count, start), threading.Event()

    def watch() -> None:
        while not over.wait(LOOK_S):
            kept.look()

    watching = threading.Thread(target=watch, daemon=True, name="workers")
    watching.start()
    try:
        yield
    finally:
        over.set()
        watching.join()
        for worker in kept.running:
            worker.terminate()
        for worker in kept.running:
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
