"""Why an image was not returned, stage by stage."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from search_api.schemas.base import Schema, ScorerName, Verdict
from search_api.schemas.encoder import EncoderSchema
from search_api.schemas.query import QuerySchema

Outcome = Literal[
    "returned",
    "not-indexed",
    "unreadable",
    "tombstoned",
    "filtered",
    "too-far",
    "lost-by-index",
    "pushed-down",
    "different",
    "judged-wrong",
]


class WantedSchema(Schema):
    """The image that was expected; an id and a label only where the gallery knows it."""

    image_id: int | None
    uri: str | None
    label: str | None


class FilterStageSchema(Schema):
    """Whether the filters let it through."""

    passed: bool
    failed: list[str] = Field(description="The conditions that it does not satisfy, in words.")


class IndexStageSchema(Schema):
    """What the index made of it, beside what an exact search makes of it."""

    exact_rank: int | None = Field(
        description="Its place by exact distance among all that the filters let through, from 1; null where "
        "more are nearer than are counted."
    )
    counted: int = Field(description="How many of the nearest are looked through for its exact place.")
    candidates: int = Field(description="How many the index was asked for.")
    proposed: bool = Field(description="Whether the index proposed it.")
    farthest_proposed: float | None = Field(description="index_distance of the last candidate.")


class RescoringStageSchema(Schema):
    """Its numbers with the query, and what the last match that was returned has."""

    distance: float = Field(ge=0)
    similarity: float
    score: float = Field(description="By the scorer: the distance, or the logit of the pair head.")
    probability: float | None
    verdict: Verdict | None
    rank: int | None = Field(description="Among the candidates; null where the index did not propose it.")
    k: int = Field(ge=1, description="How many matches were asked for.")
    last_score: float | None = Field(description="Of the last match that was returned; null where none was.")
    threshold: float | None = Field(description="Distance up to which the verdict is “same”.")


class WhyNotResponse(Schema):
    """Where an image was lost on the way from the gallery to the matches; later stages are null."""

    query: QuerySchema
    wanted: WantedSchema
    gallery: str
    build: int = Field(ge=1)
    encoder: EncoderSchema
    scorer: ScorerName
    outcome: Outcome
    reason: str = Field(description="One sentence: what kept it out, and what would bring it in.")
    filters: FilterStageSchema | None
    index: IndexStageSchema | None
    rescoring: RescoringStageSchema | None
