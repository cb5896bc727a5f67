"""The JSON of what was asked with."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from pydantic import Field

from search_api.regions import Edges
from search_api.schemas.base import Schema, SparseSchema

QUERY_ID = "X-Query-ID"
"""The header that names a kept query where there is no form: an address may be in logs, this id must not."""


class CropSchema(Schema):
    """Where a crop lies in the upright picture; maps and boxes of the query are told within it."""

    box: Edges = Field(description="Left, top, right, bottom as shares of the picture's width and height.")
    pixels: tuple[int, int, int, int] = Field(description="The same in pixels of the upright picture.")


class QuerySchema(SparseSchema):
    """The picture that was asked with."""

    SPARSE: ClassVar[tuple[str, ...]] = ("crop", "masked", "query_id", "kept_until")

    uri: str | None = Field(
        description="Where it lies or the name it was sent under; null where it has none."
    )
    checksum: str = Field(description="SHA-256 of its bytes.", examples=["9f86d081884c7d65…"])
    crop: CropSchema | None = Field(default=None, description="Present only where a crop was asked with.")
    masked: list[Edges] | None = Field(
        default=None,
        description="What was ignored, as shares of the whole picture; present only where something was.",
    )
    query_id: str | None = Field(
        default=None,
        description="Asks with this picture again, until then; present only where it was to be kept. Whoever "
        "has it may see the picture.",
    )
    kept_until: datetime | None = None


class QueryImageSchema(QuerySchema):
    """One of several pictures that were asked with together."""

    weight: float = Field(description="Negative where what is unlike it was asked for.")
