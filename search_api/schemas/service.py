"""What the service says of itself, and of a request that it refuses."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from gallery.access.key import Scope
from search_api.schemas.base import AskedSchema, Schema


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
    request_id: str | None = Field(default=None, description="As in X-Request-ID and in the service's log.")
    errors: list[FieldFault] | None = None


class ShownKey(AskedSchema):
    """A key that is shown once, for a session."""

    key: SecretStr = Field(description="As `whyalike keys create` printed it.", max_length=200)


class SessionSchema(Schema):
    """Whether keys are asked for, and whose key this request came with."""

    authentication: Literal["keys", "off"]
    name: str | None = Field(description="The name of the key; null without one.")
    scope: Scope | None = Field(description="What it is good for; null without one.")
