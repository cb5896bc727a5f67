"""The JSON of several searches that are asked at once, and of what they are answered with."""

from __future__ import annotations

from pydantic import Field

from search_api.schemas.asking import PictureJson, QueryJson
from search_api.schemas.base import ExplainedScore, Prefilter, Schema, ScorerName, SparseSchema
from search_api.schemas.groups import MAX_GROUP_SIZE
from search_api.schemas.search import SearchResponse
from search_api.schemas.service import Problem


class SearchJson(PictureJson):
    """One search: the fields of /v1/search."""

    queries: list[QueryJson] | None = None
    gallery: str | None = None
    k: int | None = None
    label: list[str] = Field(default=[])
    where: list[str] = Field(default=[])
    prefilter: Prefilter | None = None
    scorer: ScorerName = "distance"
    candidates: int | None = None
    same_only: bool = False
    min_probability: float | None = None
    max_distance: float | None = None
    group_by: str | None = None
    group_size: int = Field(default=1, ge=1, le=MAX_GROUP_SIZE)
    fold: bool = False
    include_judged: bool = False
    cursor: str | None = None
    explained: ExplainedScore | None = None
    overlays: bool = False
    correspondences: bool = False


class BatchAnswer(SparseSchema):
    """What one of the searches came to: an answer, or the problem that kept it from one."""

    SPARSE = ("search", "problem")

    search: SearchResponse | None = None
    problem: Problem | None = None


class BatchResponse(Schema):
    """What each of the searches came to, in their order."""

    answers: list[BatchAnswer]
    milliseconds: float = Field(ge=0, description="Of all of them together.")
