"""Processes that this one starts, and that must not outlive it; loads nothing that computes."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

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
                self._begin_again(place, now)
        return found

    def _begin_again(self, place: int, now: float) -> None:
        try:
            self.running[place] = self._start()
        except OSError as error:  # too many processes, too little memory: it may be otherwise soon
            log.error("%s cannot be started (%s)", self._kind, error)
            self._due[place] = now + PAUSE_S
            return
        del self._due[place]
        self._since[place] = now


def started(
    command: Sequence[str], variables: Mapping[str, str] | None = None, *, descriptors: Sequence[int] = ()
) -> subprocess.Popen[bytes]:
    """A process of this command that knows its PARENT and has these variables and descriptors besides."""
    return subprocess.Popen(
        command,
        env={**os.environ, PARENT: str(os.getpid()), **(variables or {})},
        stdin=subprocess.DEVNULL,
        pass_fds=descriptors,
        start_new_session=True,  # Ctrl-C is for this process, which tells them
    )


@contextmanager
def started_workers(count: int, *options: str) -> Iterator[None]:
    """So many worker processes with these options while the block runs; they end with this process."""
    command = [sys.executable, "-m", "whyalike", "worker", *options]
    kept, over = KeptProcesses("Worker", count, partial(started, command)), threading.Event()

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
        let_end(kept.running, within_s=LAST_BREATH_S)


def let_end(
    processes: Sequence[subprocess.Popen[bytes]],
    *,
    within_s: float,
    meanwhile: Callable[[], object] = lambda: None,
) -> None:
    """Wait for processes that were told to end, and kill who has not in time."""
    until = time.monotonic() + within_s
    while any(each.poll() is None for each in processes) and time.monotonic() < until:
        meanwhile()
        time.sleep(LOOK_S / 2)
    for process in processes:
        if process.poll() is None:
            process.kill()
            process.wait()


def go_behind_searches() -> None:
    """This process has what the service leaves of the cores, where the system knows priorities."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)


def when_orphaned(environment_parent: str | None, act: Callable[[], object]) -> None:
    """Act as soon as the process that started this one is gone; never where none was named in PARENT."""
    if environment_parent is None:
        return
    parent = int(environment_parent)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK_S)
        act()

    threading.Thread(target=watch, daemon=True, name="parent").start()
