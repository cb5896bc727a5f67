"""What is counted while searches are answered, for Prometheus; each searcher counts for itself.

Where several processes answer on one port, each counts in files of a folder that they share, as the library
does it where PROMETHEUS_MULTIPROC_DIR names the folder before a process begins; whichever is asked adds up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""From looking a row up to a trial of faithfulness."""
BATCHES = (1, 2, 4, 8, 16, 32)
OF_ALL_ALIVE: Literal["livesum"] = "livesum"
"""A gauge of several processes is the sum over those that live."""


class Metrics:
    """Counters and histograms in a registry of their own."""

    def __init__(self, shared: Path | None = None) -> None:
        """`shared` is the folder in which this process and others count, if they do."""
        self._registry = registry = CollectorRegistry()
        self._shared = shared
        if shared is None:
            ProcessCollector(registry=registry)
        self._requests = Counter(
            "whyalike_requests_total",
            "Requests that were answered.",
            ["route", "method", "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "whyalike_request_seconds",
            "Time until a request was answered.",
            ["route"],
            buckets=SECONDS,
            registry=registry,
        )
        self._stages = Histogram(
            "whyalike_stage_seconds",
            "Time of each stage of a search, waiting for a slot included.",
            ["stage"],
            buckets=SECONDS,
            registry=registry,
        )
        self._refusals = Counter(
            "whyalike_refusals_total",
            "Requests that were refused, by the kind of problem.",
            ["reason"],
            registry=registry,
        )
        self._held = Gauge(
            "whyalike_requests_in_work",
            "Requests that are worked on.",
            ["lane"],
            multiprocess_mode=OF_ALL_ALIVE,
            registry=registry,
        )
        self._waiting = Gauge(
            "whyalike_requests_waiting",
            "Requests whose bodies arrive or that wait for a place.",
            ["lane"],
            multiprocess_mode=OF_ALL_ALIVE,
            registry=registry,
        )
        self._batches = Histogram(
            "whyalike_embedding_batch_size",
            "Pictures that were embedded together.",
            buckets=BATCHES,
            registry=registry,
        )
        self._builds = Counter(
            "whyalike_builds_opened_total", "Builds that were opened.", ["gallery"], registry=registry
        )

    def answered(self, route: str, method: str, status: str, seconds: float) -> None:
        """A request was answered."""
        self._requests.labels(route, method, status).inc()
        self._seconds.labels(route).observe(seconds)

    def refused(self, reason: str) -> None:
        """A request was refused."""
        self._refusals.labels(reason).inc()

    def stage(self, name: str, seconds: float) -> None:
        """A stage was passed."""
        self._stages.labels(name).observe(seconds)

    def lane(self, name: str) -> Callable[[int, int], None]:
        """Whom a lane tells how many places are held in it, and how many wait for one."""
        held, waiting = self._held.labels(name), self._waiting.labels(name)

        def tell(now_held: int, now_waiting: int) -> None:
            held.set(now_held)
            waiting.set(now_waiting)

        return tell

    def batch(self, size: int) -> None:
        """So many pictures were embedded together."""
        self._batches.observe(size)

    def opened(self, gallery: str) -> None:
        """A build was opened."""
        self._builds.labels(gallery).inc()

    def text(self) -> bytes:
        """All of it in Prometheus' text format, of all processes that share the folder."""
        if self._shared is None:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        together.register(_Together(self._shared))
        return generate_latest(together)


class _Together(Collector):
    """What all processes that count in a folder have counted; a file that was only just made is left out."""

    def __init__(self, shared: Path) -> None:
        self._shared = shared

    def collect(self) -> Iterable[Metric]:
        """The sums."""
        files = [str(file) for file in self._shared.glob("*.db") if file.stat().st_size]
        sums: Iterable[Metric] = MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call]
        return sums
