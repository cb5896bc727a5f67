"""What the service says of itself, and of a request that it refuses."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from search_api.schemas_base import Schema


class Health(Schema):
    """Whether the service can answer, and what keeps it from that."""

    status: Literal["live", "ready", "not ready"]
    reasons: list[str]


class FieldFault(Schema):
    """One fault of a request."""

    location: str = Field(description="Where in the request, as a path.", examples=["body/k"])
    reason: str


class Problem(BaseModel):
    """A refusal by RFC 9457, sent as application/problem+json."""

    model_config = ConfigDict(extra="allow", frozen=True)

    type: str = Field(examples=["urn:whyalike:problem:gallery-not-found"])
    title: str = Field(examples=["No such gallery"])
    status: int = Field(examples=[404])
    detail: str
    errors: list[FieldFault] | None = None
