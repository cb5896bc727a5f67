"""What the routes share: the searcher, parameters that several of them take, and the refusals they name."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, cast

from fastapi import Depends, Path, Query, Request
from pydantic import AfterValidator
from starlette.responses import Response

from gallery.filters.attributes import is_storable
from search_api.edge.rates import Rates
from search_api.schemas.asking import MAX_DATABASE_ID
from search_api.schemas.base import Schema
from search_api.schemas.service import Problem
from search_api.search import Searcher
from search_api.visits import visit_of


async def _searcher(request: Request) -> Searcher:
    return cast(Searcher, request.app.state.searcher)


async def _rates(request: Request) -> Rates:
    return cast(Rates, request.app.state.rates)


TheRates = Annotated[Rates, Depends(_rates)]
Asking = Annotated[Searcher, Depends(_searcher)]
ImageId = Annotated[int, Path(ge=1, le=MAX_DATABASE_ID, description="As a match or a gallery names it.")]


def _storable(text: str) -> str:
    if not is_storable(text):
        raise ValueError("it holds a NUL, which no database keeps")
    return text


StorableText = Annotated[str, AfterValidator(_storable)]
"""A parameter that is compared with what the records hold."""
GalleryName = Annotated[
    StorableText | None,
    Query(description="Which gallery; not needed where only one is published or one is called “default”."),
]
NamedBuild = Annotated[
    int | None,
    Query(ge=1, description="The build this address was made for; with it the answer may be kept for good."),
]


JSON, JPEG, PNG = "application/json", "image/jpeg", "image/png"
"""Media types of answers."""


def count_searches(request: Request, rates: Rates, searches: int) -> None:
    """What is asked counts as so many searches of the key, if there is one; raises TooManyRequests."""
    if key := visit_of(request.scope).key:
        rates.count_batch(key, searches)


def written(answer: Schema) -> Response:
    """The answer, written in the thread that made it; FastAPI would write it where everybody waits for it."""
    return Response(answer.model_dump_json().encode(), media_type=JSON)


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that an operation may answer with; asked under another name, or while the records
    are locked, any of them may.
    """
    always = (HTTPStatus.MISDIRECTED_REQUEST, HTTPStatus.SERVICE_UNAVAILABLE)
    return {int(status): {"model": Problem} for status in (*statuses, *always)}
