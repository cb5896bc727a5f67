"""Who embedded and judged what an answer tells, and what its judgements stand on."""

from __future__ import annotations

from pydantic import Field

from search_api.schemas.base import FittedOn, Schema


class EncoderSchema(Schema):
    """Who embedded both the gallery and the query."""

    name: str = Field(examples=["flowers-128"])
    fingerprint: str = Field(description="Digest of all that changes an embedding.")


class CalibrationSchema(Schema):
    """What probability and verdict were fitted on, or why there are none."""

    fitted_on: FittedOn | None = Field(
        description="Balanced pairs, or a query and what a search shows; null where nothing could be fitted."
    )
    pairs: int = Field(ge=0, description="Labelled pairs it was fitted on.")
    reason: str | None = Field(description="Why probability and verdict are null; null where they are not.")
