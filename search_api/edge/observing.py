"""Every request gets an id, is counted and timed, and leaves one line in the log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as Asgi

from search_api.destinations import Destinations
from search_api.edge.addresses import address_of
from search_api.edge.tracing import Tracing
from search_api.metrics import Metrics
from search_api.stopwatch import AROUND, MILLISECONDS
from search_api.visits import REQUEST_ID, Visit, begin

UNANSWERED = "499"
"""The status of who went away before there was an answer, as nginx has it."""
FAULT = "500"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER_METHOD = "other"

log = logging.getLogger(__name__)


class Observed:
    """ASGI middleware around everything else."""

    def __init__(
        self, app: ASGIApp, *, destinations: Destinations, metrics: Metrics, tracing: Tracing
    ) -> None:
        self._app = app
        self._destinations = destinations
        self._metrics = metrics
        self._tracing = tracing

    async def __call__(self, request: Asgi, receive: Receive, send: Send) -> None:
        """Passes the request on as a visit."""
        if request["type"] != "http":
            await self._app(request, receive, send)
            return
        headers = Headers(scope=request)
        visit = begin(request, headers.get(REQUEST_ID), self._destinations.of(request))
        AROUND.set(self._stage)
        with self._answering(visit, request) as answer, self._tracing.request(visit, headers):
            await self._app(request, receive, answer.noticed(send))

    @contextmanager
    def _answering(self, visit: Visit, request: Asgi) -> Iterator[_Answer]:
        answer, started = _Answer(visit), perf_counter()
        try:
            yield answer
        except BaseException:
            answer.status = answer.status or FAULT
            raise
        finally:
            self._tell(visit, request, answer.status or UNANSWERED, perf_counter() - started)

    def _tell(self, visit: Visit, request: Asgi, status: str, seconds: float) -> None:
        method = request["method"] if request["method"] in METHODS else OTHER_METHOD
        route = visit.destination.path
        self._metrics.answered(route, method, status, seconds)
        if visit.refusal:
            self._metrics.refused(visit.refusal)
        told = {
            "method": method,
            "route": route,
            "status": int(status),
            "milliseconds": round(seconds * MILLISECONDS, 1),
            "address": address_of(request),
            "key": visit.key and visit.key.public_id,
            "refusal": visit.refusal,
        }
        log.info("%s %s %s", method, route, status, extra={"told": told})

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        started = perf_counter()
        try:
            with self._tracing.stage(name):
                yield
        finally:
            self._metrics.stage(name, perf_counter() - started)


class _Answer:
    """What is sent: its status is noticed, and the id of the request put on it."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self.status: str | None = None

    def noticed(self, send: Send) -> Send:
        """Sends as before."""

        async def noticing(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.status = str(message["status"])
                MutableHeaders(scope=message)[REQUEST_ID] = self._visit.request_id
            await send(message)

        return noticing
