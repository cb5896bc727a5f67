"""The progress of a job: what a run tells of itself, with rate and time left, as its row shows it."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from gallery.jobs.job import JobProgress
from indexer.tally import Tally

T = TypeVar("T")


class ToldProgress:
    """A Progress that tells a job; whatever it is told to (a claim) may raise, and the run ends there."""

    def __init__(
        self, tell: Callable[[JobProgress], None], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._tell = tell
        self._clock = clock
        self._last: Callable[[], JobProgress] | None = None

    def track(self, iterable: Iterable[T], *, description: object, total: int | None = None) -> Iterator[T]:
        """Pass the iterable through, telling how far it is."""
        started, done = self._clock(), 0

        def now() -> JobProgress:
            return self._progress(description, done, total, self._clock() - started)

        self._last = now
        for each in iterable:
            self._tell(now())
            yield each
            done += 1
        self._tell(now())

    def conclude(self) -> None:
        """Tell once more what was counted: what was read last may have been embedded after it."""
        if self._last is not None:
            self._tell(self._last())

    def say(self, line: str) -> None:
        """A step that is counted by nobody, such as the building of an index."""
        self._tell(JobProgress(stage=line, counts=self._last().counts if self._last else {}))

    @staticmethod
    def _progress(description: object, done: int, total: int | None, seconds: float) -> JobProgress:
        counts = description.counts if isinstance(description, Tally) else {}
        stage = description.verb if isinstance(description, Tally) else str(description)
        total = total if total is None else max(total, done)  # the total is an estimate
        if not done or seconds <= 0:
            return JobProgress(stage, done, total, counts)
        left = None if total is None else (total - done) * seconds / done
        return JobProgress(stage, done, total, counts, done / seconds, left)
