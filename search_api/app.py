"""The service: the routes, what stands in front of them, and what it says of itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from anyio.to_thread import current_default_thread_limiter, run_sync
from fastapi import Depends, FastAPI
from fastapi.routing import APIRoute
from sqlalchemy import Engine
from starlette.staticfiles import StaticFiles

from gallery.settings import UploadSettings
from search_api.contract import openapi
from search_api.edge import front
from search_api.edge.readiness import Readiness
from search_api.edge.tracing import Tracing
from search_api.maps.gallery_maps import GalleryMaps
from search_api.problems import refusals
from search_api.routes import (
    galleries,
    images,
    imports,
    jobs,
    judgements,
    managed_galleries,
    managed_images,
    queries,
    removals,
    session,
    unreadable,
)
from search_api.routes import map as map_routes
from search_api.routes import search as search_routes
from search_api.routes import service as service_routes
from search_api.routes.managing import Managing
from search_api.routes.repeated import named_once
from search_api.search import Searcher
from search_api.settings import FORM_OVERHEAD_BYTES, MEBIBYTE, SearchSettings, ServiceSettings
from search_api.upkeep import Upkeep
from search_api.version import installed_version

ROUTES = (
    search_routes,
    galleries,
    judgements,
    map_routes,
    queries,
    images,
    imports,
    jobs,
    managed_galleries,
    managed_images,
    removals,
    unreadable,
    session,
    service_routes,
)


def create_app(
    searcher: Searcher,
    *,
    hosts: Collection[str] = (),
    service: ServiceSettings | None = None,
    keys: Engine | None = None,
    tracing: Tracing | None = None,
    managing: Managing | None = None,
) -> FastAPI:
    """The service over this searcher, under its settings; closes it when the service stops.

    `hosts` are names that it answers to beside those of the settings. `keys` are the records of the keys, of
    which every request must show one; without them everybody is let in. `managing` says what may be
    changed, by default as the defaults of its settings do. Raises TracesUnavailable.
    """
    settings = service or ServiceSettings()
    app = FastAPI(
        title="WhyAlike",
        summary="Find the images in a collection that look like this one, and see why.",
        version=installed_version() or "0",
        openapi_tags=openapi.TAGS,
        docs_url=None,  # its script would be whatever a public server sends
        redoc_url=None,
        generate_unique_id_function=_operation,
        lifespan=_closing,
        dependencies=[Depends(named_once)],
    )
    app.state.searcher = searcher
    app.state.maps = GalleryMaps()
    app.state.readiness = Readiness(searcher.reasons_not_ready)
    app.state.managing = managing = managing or Managing(searcher.galleries)
    routers = [routes.router for routes in ROUTES]
    if settings.metrics != "off":
        routers.append(service_routes.metrics_router)
    for router in routers:
        app.include_router(router)
    app.mount("/page", StaticFiles(directory=service_routes.PAGE), name="page")
    refusals.install(app)
    front.install(
        app,
        routers,
        settings=settings,
        keys=keys,
        hosts={*searcher.settings.host_names, *hosts},
        body_limits=_body_limits(searcher.settings, managing.uploads),
        metrics=searcher.metrics,
        tracing=tracing,
    )
    openapi.install(app)
    return app


def _body_limits(settings: SearchSettings, uploads: UploadSettings) -> dict[str, int]:
    picture = settings.upload_max_bytes
    several = min(settings.request_max_bytes, settings.max_queries * picture)
    return {
        "/v1/search": several + FORM_OVERHEAD_BYTES,
        "/v1/search/batch": settings.request_max_bytes + FORM_OVERHEAD_BYTES,
        "/v1/why-not": several + FORM_OVERHEAD_BYTES,
        "/v1/compare": 2 * picture + FORM_OVERHEAD_BYTES,
        "/v1/galleries/*/uploads": uploads.max_total_bytes + MEBIBYTE,
        "/v1/galleries/*/images": uploads.max_file_bytes + FORM_OVERHEAD_BYTES,
        "/v1/galleries/*/images/*": uploads.max_file_bytes + FORM_OVERHEAD_BYTES,
    }


def _operation(route: APIRoute) -> str:
    """An operation is called what its function is called."""
    return route.name


@asynccontextmanager
async def _closing(app: FastAPI) -> AsyncIterator[None]:
    current_default_thread_limiter().total_tokens = app.state.threads
    searcher: Searcher = app.state.searcher
    upkeep = Upkeep({"kept queries": searcher.kept.collect, "replaced builds": searcher.builds.renew})
    upkeep.start()
    yield
    await run_sync(upkeep.stop)
    searcher.close()
    app.state.tracing.close()
    if app.state.door is not None:
        await run_sync(app.state.door.close)
