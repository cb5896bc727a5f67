"""Jobs over HTTP and in ``--json``: what is asked for, how far it is, and what came of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from search_api.schemas.base import AskedSchema, Schema

JobState = Literal["queued", "running", "done", "failed", "cancelled"]


class JobProgressSchema(Schema):
    """How far a job is in the stage that it is at."""

    stage: str = Field(examples=["indexing"])
    done: int = Field(ge=0)
    total: int | None = Field(description="Null where nobody knows.")
    counts: dict[str, int] = Field(
        description="How many files came to what: known, embedded, removed, unreadable."
    )
    per_second: float | None = Field(description="Null until something was done.")
    seconds_left: float | None


class JobSchema(Schema):
    """Long work on one gallery, done by a worker."""

    id: int
    kind: Literal["import", "upload", "amend", "activate", "delete"]
    gallery: str
    request: dict[str, Any] = Field(description="What was asked for.")
    asked_by: str | None = Field(description="The name of the key that asked; null where nobody knows.")
    state: JobState
    cancelling: bool = Field(description="Somebody has cancelled it, and it ends after its batch.")
    asked_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    attempts: int = Field(ge=0, description="Workers that have taken it; more than one where some died.")
    progress: JobProgressSchema | None
    outcome: dict[str, Any] | None = Field(description="What came of one that is done.")
    reason: str | None = Field(description="Why it failed, or what it waits for; a sentence.")
    errors: int = Field(ge=0, description="Files that could not be read; they have a list of their own.")


class JobList(Schema):
    """Jobs, the newest first."""

    jobs: list[JobSchema]
    next_before: int | None = Field(description="Ask for those before this one; null on the last page.")


class JobErrorSchema(Schema):
    """A file that a job could not read."""

    place: int = Field(ge=1, description="Its number among them.")
    uri: str
    checksum: str | None = Field(description="Null where it had no bytes to be named by.")
    reason: str


class JobErrorList(Schema):
    """Files that a job could not read, in the order of their uris."""

    errors: list[JobErrorSchema]
    next_after: int | None = Field(description="Ask for those after this place; null on the last page.")


class EncoderWishSchema(AskedSchema):
    """The encoder of a gallery that is new, or is to be embedded anew; one that is registered, or a body."""

    name: str | None = Field(
        default=None, description="Name or fingerprint of a registered encoder; `GET /v1/encoders` has them."
    )
    body: str | None = Field(
        default=None, description="Instead: a body that is fitted to the images.", examples=["mobilenet_v2"]
    )
    weights: Literal["imagenet", "none"] | None = Field(default=None, description="Of the body.")


class ImportSchema(AskedSchema):
    """Sources whose files are to be images of a gallery."""

    sources: list[str] = Field(
        default=[],
        max_length=1000,
        description="Folders, tables, lists, shards or storage within what the settings allow; without any "
        "those that the gallery is made of.",
        examples=[["/data/flowers"]],
    )
    label: str | None = Field(
        default=None,
        max_length=500,
        description="Of all their images, whatever the sources say, from now on.",
    )
    attributes: dict[str, str] = Field(default={}, description="Of all their images, beside the sources'.")
    encoder: EncoderWishSchema = Field(default=EncoderWishSchema())
    refit: bool = Field(default=False, description="Choose the encoder anew, and embed everything again.")
    allow_empty: bool = Field(default=False, description="A source that is empty now is meant to be.")
    retry_failed: bool = Field(default=False, description="Read again what could not be read.")
    rehash: bool = Field(default=False, description="Read everything again.")
