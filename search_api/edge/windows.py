"""How often each of many has done something lately, counted exactly and in a memory that is bounded."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

MINUTE_S = 60.0
REMEMBERED = 4096
"""Who are remembered at the same time: beyond it, who was counted longest ago counts as new."""


class MovingWindow:
    """Lets each do something so often in any stretch of so many seconds. Safe for many threads.

    Nothing is remembered of whom nothing was counted for so long.
    """

    def __init__(
        self,
        most: int,
        *,
        seconds: float = MINUTE_S,
        remembered: int = REMEMBERED,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`most` is how often, at least once."""
        self.most = most
        self._seconds = seconds
        self._remembered = remembered
        self._clock = clock
        self._lock = threading.Lock()
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def __len__(self) -> int:
        """Of how many something is remembered."""
        return len(self._times)

    def count(self, whose: str, *, cost: int = 1) -> float:
        """Counts so many at once and returns 0; where that is too many, counts none of them and returns the
        seconds until it will not be. A cost is at most `most`.
        """
        with self._lock:
            now = self._clock()
            self._forget(now)
            times = self._times.get(whose, deque())
            while times and times[0] <= now - self._seconds:
                times.popleft()
            excess = len(times) + cost - self.most
            if excess > 0:
                return times[excess - 1] + self._seconds - now
            times.extend([now] * cost)
            self._times[whose] = times
            self._times.move_to_end(whose)
        return 0.0

    def _forget(self, now: float) -> None:
        """Those of whom nothing counts any more, and those who are too many: always the first ones."""
        while self._times:
            times = next(iter(self._times.values()))
            if times[-1] > now - self._seconds and len(self._times) <= self._remembered:
                return
            self._times.popitem(last=False)
