"""What came of each request: how long it took, with which status, and what was wrong."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np

SEARCHES = frozenset({"known", "unknown", "repeated", "stored", "filtered", "crop"})
"""Kinds of one search with one picture: what the percentiles at the rated load are of."""
MOST_FAULTS = 50
"""That are told; the rest are counted."""


@dataclass
class Tally:
    """Of one phase of the traffic."""

    name: str
    began: float
    ended: float = 0.0
    seconds: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    statuses: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    faulty: int = 0

    def took(self, kind: str, seconds: float) -> None:
        """A request of this kind was answered, after so long since it was due."""
        self.seconds[kind].append(seconds)

    def fault(self, told: str) -> None:
        """An answer was wrong."""
        self.faulty += 1
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(f"{self.name}: {told}")

    def told(self) -> dict[str, Any]:
        """The phase as JSON; times in milliseconds."""
        searches = [each for kind in SEARCHES for each in self.seconds[kind]]
        return {
            "began": self.began,
            "ended": self.ended,
            "answered": sum(map(len, self.seconds.values())),
            "searches": percentiles(searches),
            "kinds": {kind: percentiles(self.seconds[kind]) for kind in sorted(self.seconds)},
            "statuses": dict(sorted(self.statuses.items())),
            "faults": self.faults,
            "faulty": self.faulty,
        }


def percentiles(seconds: list[float]) -> dict[str, float]:
    """How many, and their median and 99th percentile in milliseconds."""
    if not seconds:
        return {"count": 0, "p50": 0.0, "p99": 0.0}
    p50, p99 = np.percentile(seconds, [50, 99]) * 1000
    return {"count": len(seconds), "p50": round(float(p50), 1), "p99": round(float(p99), 1)}
