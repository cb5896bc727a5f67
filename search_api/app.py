"""The service: the routes, the limits in front of them, and what it says of itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.staticfiles import StaticFiles

from search_api import (
    openapi,
    problems,
    routes_galleries,
    routes_images,
    routes_search,
    routes_service,
)
from search_api.bodies import BodyLimit
from search_api.headers import DOCS_PATH, SecurityHeaders
from search_api.hosts import KnownHosts
from search_api.search import Searcher
from search_api.settings import FORM_OVERHEAD_BYTES, SearchSettings
from search_api.version import installed_version


def create_app(searcher: Searcher, *, hosts: Collection[str] = ()) -> FastAPI:
    """The service over this searcher, under its settings; closes it when the service stops.

    `hosts` are names that it answers to beside those of the settings.
    """
    app = FastAPI(
        title="WhyAlike",
        summary="Find the images in a collection that look like this one, and see why.",
        version=installed_version() or "0",
        openapi_tags=openapi.TAGS,
        docs_url=DOCS_PATH,
        redoc_url=None,
        generate_unique_id_function=_operation,
        lifespan=_closing,
    )
    app.state.searcher = searcher
    for routes in (routes_search, routes_galleries, routes_images, routes_service):
        app.include_router(routes.router)
    app.mount("/page", StaticFiles(directory=routes_service.PAGE), name="page")
    problems.install(app)
    app.add_middleware(BodyLimit, limits=_body_limits(searcher.settings), otherwise=FORM_OVERHEAD_BYTES)
    app.add_middleware(KnownHosts, names={*searcher.settings.host_names, *hosts})
    app.add_middleware(SecurityHeaders)
    openapi.install(app)
    return app


def _body_limits(settings: SearchSettings) -> dict[str, int]:
    picture = settings.upload_max_bytes
    several = min(settings.request_max_bytes, settings.max_queries * picture)
    return {
        "/v1/search": several + FORM_OVERHEAD_BYTES,
        "/v1/why-not": several + FORM_OVERHEAD_BYTES,
        "/v1/compare": 2 * picture + FORM_OVERHEAD_BYTES,
    }


def _operation(route: APIRoute) -> str:
    """An operation is called what its function is called."""
    return route.name


@asynccontextmanager
async def _closing(app: FastAPI) -> AsyncIterator[None]:
    yield
    app.state.searcher.close()
