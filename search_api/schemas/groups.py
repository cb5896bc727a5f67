"""The JSON of what is told beside a match: its group, the other places of its content."""

from __future__ import annotations

from pydantic import Field

from search_api.schemas.base import Schema, Verdict

MAX_GROUP_SIZE = 20
"""Members of one group that are shown: more are asked for with the group as a condition."""


class PlaceSchema(Schema):
    """Another image that shows the same content."""

    image_id: int
    uri: str
    label: str | None


class MemberSchema(PlaceSchema):
    """Another image of a match's group, with its numbers."""

    distance: float = Field(ge=0)
    score: float
    similarity: float
    probability: float | None
    verdict: Verdict | None


class GroupSchema(Schema):
    """The group that a match is the best of."""

    by: str = Field(description="“label”, or the attribute that it is grouped by.")
    name: str = Field(description="The label, or the value of the attribute.")
    images: int = Field(ge=1, description="How many images of it the search looked among.")
    members: list[MemberSchema] = Field(description="The next best of it, as many as were asked for.")
