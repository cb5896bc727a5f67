"""Reading and preparing pictures in threads while the network works."""

from __future__ import annotations

import itertools
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")

# Decoding and resizing leave Python's lock, so threads gain up to the number of cores; more only contend.
MOST_THREADS = 8


def usable_cores() -> int:
    """How many cores this process may use, which may be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def decoding_threads() -> int:
    """How many threads read pictures on this machine."""
    return min(MOST_THREADS, usable_cores())


def in_threads(
    function: Callable[[Given], Made], items: Iterable[Given], *, ahead: int, threads: int | None = None
) -> Iterator[Made]:
    """The function's results in the order of the items, at most `ahead` of them computed in advance."""
    with ThreadPoolExecutor(threads or decoding_threads()) as pool:
        waiting = iter(items)
        running = deque(pool.submit(function, item) for item in itertools.islice(waiting, ahead))
        try:
            while running:
                yield running.popleft().result()
                running.extend(pool.submit(function, item) for item in itertools.islice(waiting, 1))
        finally:
            for future in running:
                future.cancel()
