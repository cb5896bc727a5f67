"""What a question is asked with, as JSON: one picture, a part of one, or several with weights."""

from __future__ import annotations

from typing import TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from search_api.errors import InvalidQuestion
from search_api.schemas.base import AskedSchema

MAX_DATABASE_ID = 2**63 - 1
MAX_URL = 8192
MAX_QUERY_ID = 100

T = TypeVar("T")


class PictureJson(AskedSchema):
    """One picture to ask with: named by exactly one of its first keys; regions as `left,top,right,bottom`."""

    upload: int | None = Field(
        default=None, ge=0, description="Which of the pictures that were sent as `image`, from 0."
    )
    image_id: int | None = Field(default=None, ge=1, le=MAX_DATABASE_ID)
    image_url: str | None = Field(default=None, max_length=MAX_URL)
    query_id: str | None = Field(default=None, max_length=MAX_QUERY_ID)
    crop: str | None = None
    masked: list[str] = Field(default=[])


class QueryJson(PictureJson):
    """One of several pictures that are asked with together."""

    weight: float = 1.0


def parsed(kind: type[T], text: str, field: str) -> T:
    """The JSON in a field of a form; raises InvalidQuestion with the place of its first fault."""
    try:
        return TypeAdapter(kind).validate_json(text)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        where = ".".join([field, *(str(part) for part in fault["loc"])])
        raise InvalidQuestion(f"What is asked for is not understood: {where}: {fault['msg']}.") from None
