"""How long each stage of a question took."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from time import perf_counter

from search_api.presence import require_somebody

MILLISECONDS = 1000.0
DECIMALS = 3

Around = Callable[[str], AbstractContextManager[None]]
"""What is done around a stage of this name: it is counted and traced."""


def _nothing(_: str) -> AbstractContextManager[None]:
    return nullcontext()


AROUND: ContextVar[Around] = ContextVar("around", default=_nothing)
"""What a service does around each stage of the request that it is answering."""


class Stopwatch:
    """Adds up the wall-clock time of named stages; started when it is made."""

    def __init__(self) -> None:
        self._started = perf_counter()
        self._stages: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Counts what happens inside to the stage; raises Abandoned where nobody waits for it any more."""
        require_somebody()
        started = perf_counter()
        try:
            with AROUND.get()(name):
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
