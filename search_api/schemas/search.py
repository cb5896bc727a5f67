"""The JSON contract: what the service answers and what ``--json`` prints, key for key and in this order."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from explain.standings import Closeness
from search_api.schemas.base import (
    Schema,
    ScorerName,
    SparseSchema,
    Verdict,
)
from search_api.schemas.encoder import CalibrationSchema, EncoderSchema
from search_api.schemas.evidence import (
    ContributionsSchema,
    CorrespondenceSchema,
    EvidenceSchema,
    OverlaysSchema,
    ReasonSchema,
)
from search_api.schemas.groups import GroupSchema, PlaceSchema
from search_api.schemas.hiding import FaithfulnessSchema, WhatIfSchema
from search_api.schemas.judgements import JudgementSchema
from search_api.schemas.query import QueryImageSchema, QuerySchema


class PrefilterSchema(Schema):
    """What the gallery was narrowed to: the label that the encoder's class head gives the query."""

    label: str
    probability: float = Field(description="Of this label among those that the class head knows.")


class MatchSchema(SparseSchema):
    """One answer to a query: the picture, how near it is, and why."""

    SPARSE: ClassVar[tuple[str, ...]] = (
        "attributes",
        "group",
        "copies",
        "places",
        "judgement",
        "overlays",
        "correspondences",
        "contributions",
    )

    rank: int = Field(ge=1)
    image_id: int | None = Field(description="Null only for a picture that was uploaded to be compared.")
    uri: str | None
    label: str | None
    attributes: dict[str, str] | None = Field(
        default=None, description="What a table says of it besides; present only where one does."
    )
    index_distance: float | None = Field(
        description="What the index reported, for ordering candidates only; null where no index was asked."
    )
    distance: float = Field(ge=0, description="Siamese distance of the unit embeddings; 0 = identical.")
    score: float = Field(
        description="The number of the scorer, which decides order, probability and verdict: the distance, "
        "or the logit of the pair head, where greater is nearer."
    )
    cosine: float = Field(description="1 − distance² / 2.")
    similarity: float = Field(description="1 − distance, in [−1, 1].")
    closer_than: float | None = Field(
        ge=0,
        lt=1,
        description="The share of pairs of different images of this gallery that are less alike than this "
        "one, by a sample that was measured when the build was made; null where there is none: no gallery, a "
        "small or an old one, or several pictures were asked with.",
    )
    closer_than_nearest: float | None = Field(
        ge=0,
        lt=1,
        description="The share of images of this gallery that are less alike to the nearest other one than "
        "these two are to each other, by a sample that was measured when the build was made; null as before, "
        "for a build that did not measure it yet, and for galleries beyond two million images.",
    )
    closeness: Closeness | None = Field(
        description="The same in a word: close from 0.8 on, usual from 0.2, distant from 0.05, else far."
    )
    probability: float | None = Field(description="Calibrated chance that both show the same thing.")
    verdict: Verdict | None = Field(description="By the threshold; null where nothing could be fitted.")
    group: GroupSchema | None = Field(default=None, description="Present only where groups were asked for.")
    copies: int | None = Field(
        default=None,
        description="How many images that the search looked among show this content; present only where "
        "contents were to be told once.",
    )
    places: list[PlaceSchema] | None = Field(
        default=None, description="The other ones, the first 20 of them; present only where there are any."
    )
    judgement: JudgementSchema | None = Field(
        default=None, description="What a person said of the pair; present only where somebody did."
    )
    evidence: EvidenceSchema
    reason: ReasonSchema
    overlays: OverlaysSchema | None = Field(
        default=None, description="Present only where they were asked for."
    )
    correspondences: list[CorrespondenceSchema] | None = Field(
        default=None,
        description="Which spot answers which, the greatest contribution to the cosine first, whatever else "
        "is explained. Present only where they were asked for and both pictures could be read.",
    )
    contributions: ContributionsSchema | None = Field(
        default=None,
        description="Present only where they were asked for and both pictures could be read.",
    )


class SearchTimings(SparseSchema):
    """Milliseconds of each stage of a search."""

    SPARSE = ("fetch",)

    fetch: float | None = Field(default=None, ge=0, description="Present only for a query by URL.")
    decode: float = Field(ge=0)
    embed: float = Field(ge=0, description="0 where the gallery holds these bytes, and so their embedding.")
    search: float = Field(ge=0)
    rescore: float = Field(ge=0)
    explain: float = Field(ge=0)
    total: float = Field(ge=0)


class SearchResponse(SparseSchema):
    """The matches of one query, with the build and the encoder that found them."""

    SPARSE = ("queries", "prefilter", "left_out", "next_cursor")

    query: QuerySchema
    queries: list[QueryImageSchema] | None = Field(
        default=None,
        description="All that were asked with, in their order, where they were several; `query` is then the "
        "first positive one.",
    )
    gallery: str
    build: int = Field(ge=1)
    encoder: EncoderSchema
    scorer: ScorerName
    threshold: float | None = Field(
        description="Distance at and below which the verdict is “same”; null where no distance decides."
    )
    calibration: CalibrationSchema
    prefilter: PrefilterSchema | None = Field(
        default=None, description="Present only where it was asked for."
    )
    index: str = Field(description="The kind of the index that proposed candidates; flat is an exact one.")
    exhaustive: bool = Field(
        description="Whether the search compared every image that the filters let through; false where an "
        "approximate index chose the candidates. Filters are exact always."
    )
    total: int | None = Field(
        description="How many matches there are on all pages; null where a least probability, a greatest "
        "distance or the verdict decides, for nobody has looked at all images."
    )
    left_out: int | None = Field(
        default=None,
        description="How many images were left out of these matches because the pair was judged wrong; "
        "present only where there are any.",
    )
    matches: list[MatchSchema]
    next_cursor: str | None = Field(
        default=None,
        description="Send it as `cursor` with the same question for the matches that follow; present only "
        "where there are any.",
    )
    timings: SearchTimings


class CompareTimings(Schema):
    """Milliseconds of each stage of a comparison."""

    decode: float = Field(ge=0)
    embed: float = Field(ge=0)
    explain: float = Field(ge=0)
    total: float = Field(ge=0)


class CompareResponse(MatchSchema):
    """The fields of one match, and what it was judged by."""

    SPARSE: ClassVar[tuple[str, ...]] = (*MatchSchema.SPARSE, "what_if", "faithfulness")

    query: QuerySchema
    matched: QuerySchema
    gallery: str | None = Field(description="The gallery whose encoder judged; null for a checkpoint's.")
    build: int | None
    encoder: EncoderSchema
    scorer: ScorerName
    threshold: float | None
    calibration: CalibrationSchema
    what_if: WhatIfSchema | None = Field(default=None, description="Present only where it was asked for.")
    faithfulness: FaithfulnessSchema | None = Field(
        default=None, description="Present only where it was asked for."
    )
    timings: CompareTimings
