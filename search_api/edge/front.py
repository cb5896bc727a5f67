"""Everything that stands in front of the routes, put together in its order."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from fastapi import APIRouter, FastAPI
from sqlalchemy import Engine

from gallery.access.key import Scope
from search_api.destinations import Destinations
from search_api.edge.admission import OPEN_AT_ONCE, Admission, lanes_of
from search_api.edge.bodies import BodyLimit
from search_api.edge.door import Door
from search_api.edge.ending import Ending
from search_api.edge.guard import Guard
from search_api.edge.hosts import KnownHosts
from search_api.edge.observing import Observed
from search_api.edge.rates import Rates
from search_api.edge.recognition import Recognition
from search_api.edge.same_origin import SameOrigin
from search_api.edge.tracing import Tracing, open_tracing
from search_api.headers import SecurityHeaders
from search_api.metrics import Metrics
from search_api.settings import FORM_OVERHEAD_BYTES, ServiceSettings

SCOPE_OF_METRICS: dict[str, Scope | None] = {"open": None, "read": "read", "admin": "admin"}
SPARE_THREADS = 8
"""Threads beside those of the lanes: for what the server is asked of itself."""


def install(
    app: FastAPI,
    routers: Sequence[APIRouter],
    *,
    settings: ServiceSettings,
    keys: Engine | None,
    hosts: Collection[str],
    body_limits: Mapping[str, int],
    metrics: Metrics,
    tracing: Tracing | None = None,
) -> None:
    """Puts the middlewares around the app, and into its state what routes and the server need of them.

    `keys` are the records in which keys are looked up; without them everybody is let in. The middleware that
    is added last is asked first. Raises TracesUnavailable.
    """
    app.state.door = Door(keys, session_hours=settings.session_hours) if keys is not None else None
    app.state.ending = Ending()
    app.state.rates = Rates(settings)
    app.state.tracing = tracing or open_tracing(settings.traces_endpoint)
    app.state.threads = settings.searches_at_once + settings.requests_at_once + OPEN_AT_ONCE + SPARE_THREADS
    lanes = lanes_of(settings, metrics)
    scopes: dict[str, Scope | None] = {"metrics": SCOPE_OF_METRICS.get(settings.metrics, "admin")}
    routes = [route for router in routers for route in router.routes]
    destinations = app.state.destinations = Destinations(routes, scopes=scopes)
    app.add_middleware(Admission, lanes=lanes, ending=app.state.ending)
    app.add_middleware(
        BodyLimit, limits=body_limits, otherwise=FORM_OVERHEAD_BYTES, seconds=settings.body_seconds
    )
    if app.state.door is not None:
        app.state.recognition = Recognition(app.state.door, app.state.rates)
        app.add_middleware(Guard, recognition=app.state.recognition, rates=app.state.rates)
    app.add_middleware(SameOrigin)
    app.add_middleware(KnownHosts, names=hosts)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(Observed, destinations=destinations, metrics=metrics, tracing=app.state.tracing)
