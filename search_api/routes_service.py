"""Whether the service lives and can answer, and the page that people use."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path

from fastapi import APIRouter, Response
from starlette.responses import FileResponse

from search_api.asking import Asking
from search_api.schemas_service import Health

PAGE = Path(__file__).parent / "page"

router = APIRouter()


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
def readyz(asking: Asking, response: Response) -> Health:
    """Whether database, builds and encoders can be opened; each reason why not is one sentence."""
    reasons = asking.reasons_not_ready()
    if reasons:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return Health(status="not ready" if reasons else "ready", reasons=reasons)


@router.get("/", include_in_schema=False)
def page() -> FileResponse:
    """The page that people use."""
    return FileResponse(PAGE / "index.html")
