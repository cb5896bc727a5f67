"""What work takes of this machine: seconds, CPU seconds, bytes written, memory."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds, CPU seconds with those of children, and bytes of files that the system was given to write."""

    seconds: float
    cpu: float
    written: int


def spent(work: Callable[[], object]) -> Spent:
    """What the work takes."""
    started, before, written = time.monotonic(), cpu_seconds(), written_bytes()
    work()
    return Spent(time.monotonic() - started, cpu_seconds() - before, written_bytes() - written)


def cpu_seconds() -> float:
    """Of this process and of those of its children that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def written_bytes() -> int:
    """What this process has given the system to write into files; pipes do not count."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))


def family(process: int) -> Iterator[int]:
    """A process and all below it."""
    yield process
    for path in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            children = path.read_text().split()
        except OSError:
            continue  # a thread that has ended meanwhile
        for child in children:
            yield from family(int(child))


def pss(process: int) -> int:
    """Bytes of memory of a process, shared ones by their share; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
