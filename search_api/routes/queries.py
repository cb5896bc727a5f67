"""Queries that are kept for a while."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header, Response

from search_api.queries.pictures import jpeg, upright
from search_api.routes.asking import JPEG, Asking, refusals
from search_api.schemas.asking import MAX_QUERY_ID
from search_api.schemas.query import QUERY_ID

router = APIRouter(prefix="/v1/queries", tags=["queries"])

QueryId = Annotated[
    str, Header(alias=QUERY_ID, min_length=1, max_length=MAX_QUERY_ID, description="As the answer told it.")
]


@router.get(
    "/picture",
    summary="The picture of a kept query",
    response_class=Response,
    responses={200: {"content": {JPEG: {}}}, **refusals(404, 422)},
)
def get_kept_picture(asking: Asking, query_id: QueryId) -> Response:
    """The picture as JPEG in the size of the overlays: newly encoded, so nothing is in it but what is seen.

    No cache keeps it, for it is kept only for a while.
    """
    settings = asking.settings
    kept = asking.kept.find(query_id)
    with asking.decoding:
        shown = upright(kept.data, limits=settings.upload_limits, max_side=settings.overlay_max_side)
        return Response(jpeg(shown), media_type=JPEG)


@router.delete(
    "",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Forget a kept query",
    response_class=Response,
    responses=refusals(404, 422),
)
def forget_query(asking: Asking, query_id: QueryId) -> None:
    """The picture is removed now; nobody can ask with it any more."""
    asking.kept.forget(query_id)
