"""What is counted while searches are answered, for Prometheus; each searcher counts for itself."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""From looking a row up to a trial of faithfulness."""
BATCHES = (1, 2, 4, 8, 16, 32)


class Metrics:
    """Counters and histograms in a registry of their own."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
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
            "whyalike_requests_in_work", "Requests that are worked on.", ["lane"], registry=registry
        )
        self._waiting = Gauge(
            "whyalike_requests_waiting",
            "Requests whose bodies arrive or that wait for a place.",
            ["lane"],
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

    def lane(self, name: str, *, held: Callable[[], float], waiting: Callable[[], float]) -> None:
        """What to ask for the length of a lane, whenever the metrics are read."""
        self._held.labels(name).set_function(held)
        self._waiting.labels(name).set_function(waiting)

    def batch(self, size: int) -> None:
        """So many pictures were embedded together."""
        self._batches.observe(size)

    def opened(self, gallery: str) -> None:
        """A build was opened."""
        self._builds.labels(gallery).inc()

    def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self._registry)
