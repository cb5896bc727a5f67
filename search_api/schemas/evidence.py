"""The JSON of evidence: both maps on both pictures, the number they explain, the reason in words."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from explain.balance import Part
from explain.evidence import BaselineFrom
from explain.focus import Place
from explain.reason_warnings import WarningCode
from search_api.schemas.base import ComputedFrom, DrawnOn, ExplainedScore, Schema, SparseSchema

Grid = list[list[float]]


class ExplainedSchema(SparseSchema):
    """The number that the maps add up to, and how they were made."""

    SPARSE = ("label", "query_value")

    of: ExplainedScore
    value: float = Field(description="The explained number of this match.", examples=[0.92])
    baseline: float = Field(
        description="For the cosine its value at the verdict's threshold. Where there is no verdict, or it "
        "is another scorer's, the maps are read as for “same”: from the cosine that two images of the "
        "gallery usually do not exceed, or from 0 where nobody measured it. For the others 0."
    )
    baseline_from: BaselineFrom = Field(
        description="What the baseline is: the number at the verdict's threshold; the usual cosine of the "
        "gallery, half-way between the median of its pairs and that of each image with its nearest, as "
        "measured when the build was made; or none, and then it is 0."
    )
    method: str = Field(description="How the maps are made of the local embeddings.")
    label: str | None = Field(
        default=None, description="Only for the class head: the label that it gives the query."
    )
    query_value: float | None = Field(
        default=None, description="Only for the class head: the query's own score; `value` is the match's."
    )


class SideSchema(SparseSchema):
    """The two maps of one picture: rows from the top, numbers ≥ 0."""

    SPARSE = ("note",)

    factual: Grid = Field(description="What supports the verdict.")
    counterfactual: Grid = Field(description="What speaks against it.")
    computed_from: ComputedFrom = Field(
        description="What the maps are made of: what the gallery stored, or a picture that was computed anew."
    )
    note: str | None = Field(
        default=None, description="Only where the picture is not the one that was indexed: what that means."
    )


class QuerySideSchema(SideSchema):
    """The maps on one of several pictures that were asked with together, which is weighted in them."""

    weight: float
    added: float = Field(
        description="What this picture adds to the cosine of the match; that of all is the cosine."
    )


class BalanceSchema(Schema):
    """What the maps come to: the sum of each, the mean of both pictures."""

    factual: float = Field(ge=0)
    counterfactual: float = Field(ge=0)
    adds: Part = Field(
        description="The part that raises the number: its sum less the other one is value less baseline."
    )


class EvidenceSchema(SparseSchema):
    """Both maps on both pictures, and the number they explain.

    For the cosine and the pair head, on each picture, factual less counterfactual sums to value less
    baseline; to its negative where the verdict is "different" and the scorer's own number is explained. Where
    another scorer's is, the maps are read as for "same". For the class head it sums to the picture's
    own score for the label, whatever the verdict. Where several pictures were asked with, all of `queries`
    together add up so, and `query` is the side of the first positive one.
    """

    SPARSE = ("balance", "queries")

    explained: ExplainedSchema
    balance: BalanceSchema | None = Field(
        default=None,
        description="Present only where the maps add up to a number of the pair: of the cosine and the pair "
        "head, of two pictures whose maps are known.",
    )
    query: SideSchema
    queries: list[QuerySideSchema] | None = Field(
        default=None, description="Present only where several pictures were asked with, in their order."
    )
    matched: SideSchema


class SideOverlays(Schema):
    """The heatmaps of one picture painted over it, as PNG data URIs."""

    drawn_on: DrawnOn = Field(description="Thumbnail where the original is gone or its bytes have changed.")
    factual: str = Field(description="data:image/png;base64,…")
    counterfactual: str = Field(description="data:image/png;base64,…")


class OverlaysSchema(SparseSchema):
    """The overlays of one match."""

    SPARSE = ("queries",)

    query: SideOverlays
    queries: list[SideOverlays] | None = Field(
        default=None, description="Present only where several pictures were asked with, in their order."
    )
    matched: SideOverlays


class FocusSchema(Schema):
    """Where on one picture the factual map lies: the fewest cells that carry 70 % of it, or a little more."""

    share: float = Field(ge=0, le=1, description="Of the factual map's sum, what these cells carry.")
    area: float = Field(ge=0, le=1, description="Of the seen picture, what they cover.")
    place: Place | None = Field(description="Where in the whole picture; null for a blank map.")
    concentration: float | None = Field(
        description="Gini coefficient of the factual map over the seen picture: 0 where it is even, near 1 "
        "where one spot has it all; null for a blank map."
    )


class WarningSchema(Schema):
    """One thing to doubt about the evidence."""

    code: WarningCode
    text: str


class ReasonSchema(Schema):
    """Why the match is near or far, in one sentence, with the numbers that it says."""

    text: str
    short: str = Field(
        description="Only where what counts lies: without numbers, and without how near the pair is at all."
    )
    warnings: list[WarningSchema]
    query: FocusSchema
    matched: FocusSchema


class CellSchema(Schema):
    """A cell of a picture's grid, and the part of the upright picture that it covers."""

    row: int = Field(ge=0)
    column: int = Field(ge=0)
    box: tuple[float, float, float, float] = Field(
        description="Left, top, right, bottom as shares of the picture's width and height, without padding."
    )


class CorrespondenceSchema(Schema):
    """Two cells that are each other's most alike."""

    query: CellSchema
    matched: CellSchema
    contribution: float = Field(gt=0, description="What the two add to the cosine of the pair.")
    share: float | None = Field(description="That as a part of the cosine; null where it is not positive.")
    times_average: float | None = Field(
        description="That as a multiple of what any two cells add on average, so that 1 is nothing special; "
        "null where the cosine is not positive."
    )
    cosine: float = Field(description="How alike the two cells are by themselves.")


class GridSchema(Schema):
    """How the cells of a picture lie in it: `rows` × `columns` equal rectangles fill the box."""

    rows: int = Field(ge=1)
    columns: int = Field(ge=1)
    box: tuple[float, float, float, float] = Field(
        description="Left, top, right, bottom as shares of the picture's width and height; beyond 0 to 1 "
        "where the picture was padded."
    )


class ContributionsSchema(Schema):
    """What each two cells of a pair add to its cosine: the rows sum to the query's relevance map, the columns
    to the matched image's, and all to the cosine.
    """

    query: GridSchema
    matched: GridSchema
    dtype: Literal["<f4"] = Field(description="Little-endian float32.")
    data: str = Field(
        description="Base64 of a matrix, row by row: a row for each cell of the query, a column for each of "
        "the matched image; the cells row by row."
    )
    cosines: str = Field(
        description="The same of how alike each two cells are by themselves, in [-1, 1]: the most alike "
        "answers a cell. 0 where one of them was not looked at."
    )
    seen_pairs: int = Field(
        ge=0,
        description="Pairs of which both cells were looked at: neither lies in padding, nor mostly in what "
        "was to be ignored. On average one of these adds the cosine divided by so many.",
    )
