"""The JSON of what hiding regions shows of one match: what if it were hidden, and whether the maps hold."""

from __future__ import annotations

from pydantic import Field

from search_api.schemas.base import DrawnOn, Schema, SparseSchema, Verdict
from search_api.schemas.evidence import WarningSchema


class LeftSchema(Schema):
    """The numbers that are left of a match when a part of the query is hidden."""

    area: float = Field(ge=0, le=1, description="Share of the area of the query that is hidden.")
    distance: float = Field(ge=0)
    similarity: float
    probability: float | None
    verdict: Verdict | None


class WhatIfSchema(SparseSchema):
    """The match with what speaks for its verdict hidden in the query, by a blur."""

    SPARSE = ("picture",)

    text: str = Field(description="What came of it, in one sentence.")
    seen_in: DrawnOn = Field(description="Thumbnail where the query's original is gone or has changed.")
    hidden: LeftSchema = Field(description="With everything hidden that speaks for the verdict.")
    flips: bool | None = Field(description="Whether the verdict is then another one; null without a verdict.")
    smallest: LeftSchema | None = Field(
        description="With the smallest part of it hidden that was found to flip the verdict; null where none "
        "does."
    )
    picture: str | None = Field(
        default=None,
        description="The query with that part hidden, or all of it, as the encoder saw it, and outlined: "
        "data:image/png;base64,… Present only where overlays were asked for.",
    )


class MapFaithfulnessSchema(Schema):
    """One map tested: areas under the explained number, over shares of the seen area from 0 to 1."""

    deletion: float = Field(description="While the hottest is hidden; less is better.")
    insertion: float = Field(description="While the hottest is shown first; more is better.")
    centre_deletion: float = Field(description="The same from the middle of the picture outwards.")
    centre_insertion: float
    random_deletion: float = Field(description="The same in orders of chance, on the average.")
    random_insertion: float
    beats_random: float = Field(
        ge=0, le=1, description="Share of the orders of chance whose insertion less deletion is smaller."
    )


class FaithfulnessSchema(Schema):
    """Whether hiding what the maps of this very match call hot moves its number more than chance does."""

    query: MapFaithfulnessSchema
    matched: MapFaithfulnessSchema
    steps: int = Field(ge=1, description="Steps from nothing to everything hidden.")
    random_orders: int = Field(ge=1)
    warnings: list[WarningSchema] = Field(description="Also among those of the reason.")
