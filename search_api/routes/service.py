"""Whether the service lives and can answer, and the page that people use."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import FileResponse

from search_api.edge.ending import Ending
from search_api.edge.readiness import Readiness
from search_api.headers import DOCS_PATH
from search_api.routes.asking import Asking
from search_api.schemas.service import Health
from search_api.visits import visit_of

ENDING = "The service is shutting down."
PAGE = Path(__file__).parent.parent / "page"

router = APIRouter()
metrics_router = APIRouter()


@router.get("/livez", tags=["service"], summary="Is the process alive?")
async def livez() -> Health:
    """Answered without a thread and without looking at anything, however busy the service is."""
    return Health(status="live", reasons=[])


@router.get(
    "/readyz",
    tags=["service"],
    summary="Can searches be answered?",
    responses={HTTPStatus.SERVICE_UNAVAILABLE: {"model": Health}},
)
async def readyz(request: Request, response: Response) -> Health:
    """Whether the database has its schema, builds and encoders can be opened, and the service is not about to
    end; each reason why not is one sentence.
    """
    ending: Ending = request.app.state.ending
    readiness: Readiness = request.app.state.readiness
    reasons = [ENDING] if ending.has_begun else await readiness.reasons()
    if reasons:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return Health(status="not ready" if reasons else "ready", reasons=reasons)


@metrics_router.get("/metrics", include_in_schema=False)
def metrics(asking: Asking) -> Response:
    """What was counted, for Prometheus."""
    return Response(asking.metrics.text(), media_type=CONTENT_TYPE_LATEST)


@router.get(DOCS_PATH, include_in_schema=False)
def docs() -> FileResponse:
    """The description of the API, for people."""
    return FileResponse(PAGE / "docs.html")


@router.get("/", include_in_schema=False)
def page(request: Request) -> FileResponse:
    """The page that people use; where a key is asked for and none is shown, the page to show one."""
    is_inside = request.app.state.door is None or visit_of(request.scope).key is not None
    shown = PAGE / ("index.html" if is_inside else "sign-in.html")
    return FileResponse(shown, headers={"Cache-Control": "no-cache", "Vary": "Cookie"})
