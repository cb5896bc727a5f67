"""The JSON of judgements: a person's word on a pair."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from search_api.schemas.asking import MAX_DATABASE_ID
from search_api.schemas.base import AskedSchema, Schema

Says = Literal["right", "wrong"]


class JudgedJson(AskedSchema):
    """A person's word on a pair: the query by its checksum or, if the gallery has it, its image_id."""

    query_checksum: str | None = Field(default=None, description="`query.checksum` of the answer.")
    query_image_id: int | None = Field(default=None, ge=1, le=MAX_DATABASE_ID)
    image_id: int = Field(ge=1, le=MAX_DATABASE_ID, description="Of the match.")
    says: Says = Field(description="Whether it is right that both show the same thing.")
    author: str | None = Field(
        default=None, description="Who says so; by default the name of the key that is shown."
    )


class JudgementSchema(Schema):
    """A person's word on a pair of contents: it holds for all images that show them, asked with or found."""

    judgement_id: int
    query: str = Field(description="SHA-256 of the content that was asked with.")
    matched: str = Field(description="SHA-256 of the content that was found.")
    says: Says
    author: str | None
    made_at: datetime
    revoked_at: datetime | None = Field(description="Null while it stands.")


class JudgementList(Schema):
    """Judgements of a gallery, the oldest first."""

    judgements: list[JudgementSchema]
    next_after: int | None = Field(description="Send it as `after` for those that follow; null at the end.")
