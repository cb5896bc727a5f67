"""The processes that answer on one port: started, replaced when they end, and ended together.

Python runs one thread at a time, so one process answers little more than one search at a time, however many
cores there are. Each of these is a whole service: it opens builds and encoders for itself, and shares with
the others the port, the records and the files that metrics are counted in.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType

from prometheus_client.multiprocess import mark_process_dead

from whyalike.child_processes import LOOK_S, PARENT, KeptProcesses, is_orphaned
from whyalike.serving import MARGIN_S, SIGNALLED
from whyalike.settings import ServeSettings

LISTENING = "_WHYALIKE_LISTENING"
"""Names the socket that a process was given to listen on; set here, and by nobody else."""
COUNTED = "PROMETHEUS_MULTIPROC_DIR"
"""Where the processes count together; the library reads it when it is imported."""
AT_ONCE = "WHYALIKE_SERVE__SEARCHES_AT_ONCE"
LEAST_AT_ONCE = 2
"""Searches in one process, so that one is decoded while another is embedded."""


@dataclass(slots=True)
class Siblings:
    """So many processes of `whyalike serve` with these options, on a socket that listens already."""

    count: int
    listening: socket.socket
    options: Sequence[str]
    settings: ServeSettings
    _told: list[int] = field(default_factory=list)

    def run(self) -> int:
        """Let them answer until a signal comes, or until one cannot begin; returns the exit code."""
        with tempfile.TemporaryDirectory(prefix="whyalike-metrics-") as counted, self._signals():
            kept = KeptProcesses("Process", self.count, partial(self._started, counted))
            try:
                return self._watch(kept, counted)
            finally:
                self._end(kept.running, self._told[-1] if self._told else signal.SIGTERM)

    def _watch(self, kept: KeptProcesses, counted: str) -> int:
        while not self._told:
            time.sleep(LOOK_S)
            for ended in kept.look():
                mark_process_dead(ended.pid, path=counted)  # type: ignore[no-untyped-call]
                if ended.was_young and ended.code > 0:
                    return ended.code  # it could not begin, and the next one could not either
        return SIGNALLED + self._told[0]

    def _started(self, counted: str) -> subprocess.Popen[bytes]:
        at_once = max(LEAST_AT_ONCE, -(-self.settings.searches_at_once // self.count))
        descriptor = self.listening.fileno()
        environment = {
            **os.environ,
            PARENT: str(os.getpid()),
            LISTENING: str(descriptor),
            COUNTED: counted,
            AT_ONCE: str(at_once),
        }
        return subprocess.Popen(
            [sys.executable, "-m", "whyalike", "serve", *self.options],
            env=environment,
            stdin=subprocess.DEVNULL,
            pass_fds=[descriptor],
            start_new_session=True,  # Ctrl-C is for this process, which tells them
        )

    def _end(self, running: Sequence[subprocess.Popen[bytes]], told: int) -> None:
        """Pass the signal on, and every further one; whoever does not end in time is killed."""
        passed, now = 0, time.monotonic()
        until, refused = now + self._patience_s, now + self._drain_s(told)
        alive = list(running)
        while alive and time.monotonic() < until:
            if time.monotonic() >= refused:
                self.listening.close()  # theirs are closed; as long as this one is open, clients would wait
            if passed < max(1, len(self._told)):
                passed += 1
                for process in alive:
                    process.send_signal(told)
            time.sleep(LOOK_S / 2)
            alive = [process for process in alive if process.poll() is None]
        for process in alive:
            process.kill()
            process.wait()

    def _drain_s(self, told: int) -> float:
        """How long a process that is told so goes on to take connections."""
        return self.settings.drain_seconds if told == signal.SIGTERM else 0.0

    @property
    def _patience_s(self) -> float:
        return self.settings.drain_seconds + self.settings.shutdown_seconds + 2 * MARGIN_S

    @contextmanager
    def _signals(self) -> Iterator[None]:
        def note(number: int, _frame: FrameType | None) -> None:
            self._told.append(number)

        before = {each: signal.signal(each, note) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


@dataclass(frozen=True, slots=True)
class Inheritance:
    """What a sibling was given: the socket that it listens on, the folder it counts in, and by whom."""

    listening: socket.socket
    counted: Path
    parent: str | None

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Inheritance | None:
        """None in a process that is nobody's sibling."""
        if LISTENING not in environment:
            return None
        listening = socket.socket(fileno=int(environment[LISTENING]))
        return cls(listening, Path(environment[COUNTED]), environment.get(PARENT))

    def end_with_parent(self) -> None:
        """From now on this process ends as soon as the one that started it is gone."""

        def watch() -> None:
            while not is_orphaned(self.parent):
                time.sleep(LOOK_S)
            with suppress(ProcessLookupError):
                os.kill(os.getpid(), signal.SIGTERM)

        threading.Thread(target=watch, daemon=True, name="parent").start()
