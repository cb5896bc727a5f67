"""The JSON of evidence: both maps on both pictures, the number they explain, the reason in words."""

from __future__ import annotations

from pydantic import Field

from search_api.schemas_base import DrawnOn, ExplainedScore, Schema, SparseSchema

Grid = list[list[float]]


class ExplainedSchema(SparseSchema):
    """The number that the maps add up to, and how they were made."""

    SPARSE = ("label", "query_value")

    of: ExplainedScore
    value: float = Field(description="The explained number of this match.", examples=[0.92])
    baseline: float = Field(
        description="For the cosine its value at the verdict's threshold, or 0 where there is no verdict or "
        "it is another scorer's: the maps are then read as for the verdict “same”. For the others 0."
    )
    method: str = Field(description="How the maps are made of the local embeddings.")
    label: str | None = Field(
        default=None, description="Only for the class head: the label that it gives the query."
    )
    query_value: float | None = Field(
        default=None, description="Only for the class head: the query's own score; `value` is the match's."
    )


class SideSchema(Schema):
    """The two maps of one picture: rows from the top, numbers ≥ 0."""

    factual: Grid = Field(description="What supports the verdict.")
    counterfactual: Grid = Field(description="What speaks against it.")


class EvidenceSchema(Schema):
    """Both maps on both pictures, and the number they explain.

    For the cosine and the pair head, on each picture, factual less counterfactual sums to value less
    baseline; to its negative where the verdict is "different" and the scorer's own number is explained. Where
    another scorer's is, the maps are read as for "same". For the class head it sums to the picture's
    own score for the label, whatever the verdict.
    """

    explained: ExplainedSchema
    query: SideSchema
    matched: SideSchema


class SideOverlays(Schema):
    """The heatmaps of one picture painted over it, as PNG data URIs."""

    drawn_on: DrawnOn = Field(description="Thumbnail where the original is gone or its bytes have changed.")
    factual: str = Field(description="data:image/png;base64,…")
    counterfactual: str = Field(description="data:image/png;base64,…")


class OverlaysSchema(Schema):
    """The overlays of one match."""

    query: SideOverlays
    matched: SideOverlays
