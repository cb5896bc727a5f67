"""How long each stage of a question took."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

MILLISECONDS = 1000.0
DECIMALS = 3


class Stopwatch:
    """Adds up the wall-clock time of named stages; started when it is made."""

    def __init__(self) -> None:
        self._started = perf_counter()
        self._stages: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Counts what happens inside to the stage."""
        started = perf_counter()
        try:
            yield
        finally:
            self._stages[name] = self._stages.get(name, 0.0) + perf_counter() - started

    def measured(self, stage: str) -> float | None:
        """The milliseconds of a stage; None where it was not needed."""
        seconds = self._stages.get(stage)
        return None if seconds is None else round(seconds * MILLISECONDS, DECIMALS)

    def milliseconds(self, *stages: str) -> dict[str, float]:
        """The time of each of the stages, 0 for one that was not needed, and the `total` since the start."""
        seconds = {stage: self._stages.get(stage, 0.0) for stage in stages}
        seconds["total"] = perf_counter() - self._started
        return {stage: round(value * MILLISECONDS, DECIMALS) for stage, value in seconds.items()}
