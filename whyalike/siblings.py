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
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType

from prometheus_client.multiprocess import mark_process_dead

from search_api.settings import LEAST_AT_ONCE
from whyalike.child_processes import (
    FIRST_S,
    LOOK_S,
    PARENT,
    KeptProcesses,
    let_end,
    started,
    when_orphaned,
)
from whyalike.serving import MARGIN_S, SIGNALLED
from whyalike.settings import ServeSettings

LISTENING = "_WHYALIKE_LISTENING"
"""Names the socket that a process was given to listen on; set here, and by nobody else."""
COUNTED = "PROMETHEUS_MULTIPROC_DIR"
"""Where the processes count together; the library reads it when it is imported."""
MEMORY = Path("/dev/shm")
"""Where files are mapped that nobody tidies away, and that no full disk cuts off."""
AT_ONCE = "WHYALIKE_SERVE__SEARCHES_AT_ONCE"
TOLD = frozenset({SIGNALLED + signal.SIGINT, SIGNALLED + signal.SIGTERM})
"""Exit codes of who was told to end, by whomever."""


@dataclass(slots=True)
class Siblings:
    """So many processes of this command, `whyalike serve`, on a socket that listens already."""

    count: int
    listening: socket.socket
    command: Sequence[str]
    settings: ServeSettings
    _told: list[int] = field(default_factory=list)

    def run(self) -> int:
        """Let them answer until a signal comes, or until they turn out not to begin; returns the exit code.

        Once they have answered for a while, whatever ends one of them ends no other.
        """
        with _counted() as counted, self._signals():
            kept = KeptProcesses("Process", self.count, partial(self._started, counted))
            try:
                return self._watch(kept, counted)
            finally:
                self._end(kept.running)

    def _watch(self, kept: KeptProcesses, counted: str) -> int:
        began = time.monotonic()
        while not self._told:
            time.sleep(LOOK_S)
            for ended in kept.look():
                mark_process_dead(ended.pid, path=counted)  # type: ignore[no-untyped-call]
                if ended.code > 0 and ended.code not in TOLD and time.monotonic() - began < FIRST_S:
                    return ended.code  # it could not begin, and the next one could not either
        return SIGNALLED + self._told[0]

    def _started(self, counted: str) -> subprocess.Popen[bytes]:
        at_once = max(LEAST_AT_ONCE, -(-self.settings.searches_at_once // self.count))
        descriptor = self.listening.fileno()
        variables = {LISTENING: str(descriptor), COUNTED: counted, AT_ONCE: str(at_once)}
        return started(self.command, variables, descriptors=[descriptor])

    def _end(self, running: Sequence[subprocess.Popen[bytes]]) -> None:
        """Pass the signal on, and every further one; whoever does not end in time is killed."""
        told = self._told[-1] if self._told else signal.SIGTERM
        drain_s = self.settings.drain_seconds if told == signal.SIGTERM else 0.0
        passed, refused = 0, time.monotonic() + drain_s

        def meanwhile() -> None:
            nonlocal passed
            if time.monotonic() >= refused:
                self.listening.close()  # theirs are closed; as long as this one is open, clients would wait
            if passed < max(1, len(self._told)):
                passed += 1
                for process in running:
                    process.send_signal(told)

        patience_s = self.settings.drain_seconds + self.settings.shutdown_seconds + 2 * MARGIN_S
        let_end(running, within_s=patience_s, meanwhile=meanwhile)

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
        when_orphaned(self.parent, partial(os.kill, os.getpid(), signal.SIGTERM))


def _counted() -> tempfile.TemporaryDirectory[str]:
    """A folder to count in, which is gone after it."""
    where = MEMORY if os.access(MEMORY, os.W_OK) else None
    return tempfile.TemporaryDirectory(prefix="whyalike-metrics-", dir=where)
