"""Queries that are kept for a while."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Response

from search_api.routes.asking import Asking, refusals
from search_api.schemas.asking import MAX_QUERY_ID

router = APIRouter(prefix="/v1/queries", tags=["queries"])


@router.delete(
    "/{query_id}",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Forget a kept query",
    response_class=Response,
    responses=refusals(404, 422),
)
def forget_query(
    asking: Asking,
    query_id: Annotated[
        str, Path(min_length=1, max_length=MAX_QUERY_ID, description="As the answer told it.")
    ],
) -> None:
    """The picture is removed now; nobody can ask with it any more."""
    asking.kept.forget(query_id)
