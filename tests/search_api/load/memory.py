"""How much memory a process and its children have, sampled while others are at work."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

PERIOD_S = 1.0


@dataclass
class Memory:
    """Samples of the proportional set size, in MB, of a process and of all its children together."""

    pid: int
    times: list[float] = field(default_factory=list)
    service: list[float] = field(default_factory=list)
    workers: list[float] = field(default_factory=list)
    mapped: list[float] = field(default_factory=list)
    """Of both: what is of files, which the system takes back where it needs the room."""

    def mean(self, of: list[float], began: float, ended: float) -> float:
        """Between these times."""
        within = [each for at, each in zip(self.times, of, strict=True) if began <= at <= ended]
        return float(np.mean(within)) if within else 0.0

    def sample(self) -> None:
        """Now."""
        own, workers = pss(self.pid), [pss(child) for child in descendants(self.pid)]
        self.times.append(time.time())
        self.service.append(own[0])
        self.workers.append(sum(each[0] for each in workers))
        self.mapped.append(own[1] + sum(each[1] for each in workers))


@contextmanager
def sampled(pid: int) -> Iterator[Memory]:
    """Samples once a second until the block ends."""
    memory, stop = Memory(pid), threading.Event()

    def sample() -> None:
        while not stop.wait(PERIOD_S):
            memory.sample()

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield memory
    finally:
        stop.set()
        thread.join()


def pss(pid: int) -> tuple[float, float]:
    """The proportional set size and what of it is of files, in MB; 0 for a process that is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return 0.0, 0.0
    kb = {line.split()[0].rstrip(":"): int(line.split()[1]) for line in lines}
    return kb["Pss"] / 1024, kb.get("Pss_File", 0) / 1024


def gone_but_mapped(pid: int) -> list[str]:
    """Files of galleries that a process has mapped, and that are on the disk no more."""
    mapped = Path(f"/proc/{pid}/maps").read_text().splitlines()
    return [each for each in mapped if "/galleries/" in each and each.endswith("(deleted)")]


def descendants(pid: int) -> list[int]:
    """The processes that it started, and those that they started."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(each) for each in task.read_text().split()]
        except OSError:
            continue
        for child in children:
            found += [child, *descendants(child)]
    return found
