"""The JSON contract: what the service answers and what ``--json`` prints, key for key and in this order."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

Verdict = Literal["same", "different"]
ScorerName = Literal["distance", "pair-head"]
ExplainedScore = Literal["cosine", "distance", "pair-head", "class"]
Prefilter = Literal["label"]
FittedOn = Literal["pair", "shown"]
DrawnOn = Literal["original", "thumbnail", "upload"]
OriginalState = Literal["unchanged", "changed", "gone"]
Grid = list[list[float]]


class Schema(BaseModel):
    """A frozen piece of an answer that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SparseSchema(Schema):
    """A piece that leaves out the keys of `SPARSE` where they are null, because they were not asked for."""

    SPARSE: ClassVar[tuple[str, ...]]

    @model_serializer(mode="wrap")
    def _leave_out_what_was_not_asked(self, serialize: SerializerFunctionWrapHandler):  # type: ignore[no-untyped-def]
        content: dict[str, Any] = serialize(self)
        return {key: value for key, value in content.items() if value is not None or key not in self.SPARSE}


class QuerySchema(Schema):
    """The picture that was asked with."""

    uri: str | None = Field(
        description="Where it lies or the name it was sent under; null where it has none."
    )
    checksum: str = Field(description="SHA-256 of its bytes.", examples=["9f86d081884c7d65…"])


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


class PrefilterSchema(Schema):
    """What the gallery was narrowed to: the label that the encoder's class head gives the query."""

    label: str
    probability: float = Field(description="Of this label among those that the class head knows.")


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


class MatchSchema(SparseSchema):
    """One answer to a query: the picture, how near it is, and why."""

    SPARSE = ("overlays",)

    rank: int = Field(ge=1)
    image_id: int | None = Field(description="Null only for a picture that was uploaded to be compared.")
    uri: str | None
    label: str | None
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
    probability: float | None = Field(description="Calibrated chance that both show the same thing.")
    verdict: Verdict | None = Field(description="By the threshold; null where nothing could be fitted.")
    evidence: EvidenceSchema
    overlays: OverlaysSchema | None = Field(
        default=None, description="Present only where they were asked for."
    )


class SearchTimings(Schema):
    """Milliseconds of each stage of a search."""

    decode: float = Field(ge=0)
    embed: float = Field(ge=0, description="0 where the gallery holds these bytes, and so their embedding.")
    search: float = Field(ge=0)
    rescore: float = Field(ge=0)
    explain: float = Field(ge=0)
    total: float = Field(ge=0)


class SearchResponse(SparseSchema):
    """The matches of one query, with the build and the encoder that found them."""

    SPARSE = ("prefilter",)

    query: QuerySchema
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
    matches: list[MatchSchema]
    timings: SearchTimings


class CompareTimings(Schema):
    """Milliseconds of each stage of a comparison."""

    decode: float = Field(ge=0)
    embed: float = Field(ge=0)
    explain: float = Field(ge=0)
    total: float = Field(ge=0)


class CompareResponse(MatchSchema):
    """The fields of one match, and what it was judged by."""

    query: QuerySchema
    matched: QuerySchema
    gallery: str | None = Field(description="The gallery whose encoder judged; null for a checkpoint's.")
    build: int | None
    encoder: EncoderSchema
    scorer: ScorerName
    threshold: float | None
    calibration: CalibrationSchema
    timings: CompareTimings


class GallerySchema(Schema):
    """A gallery that can be searched."""

    name: str = Field(examples=["default"])
    build: int = Field(ge=1, description="The published build.")
    images: int = Field(ge=0, description="Images that can be found.")
    contents: int = Field(ge=0, description="Different contents among them.")
    encoder: EncoderSchema


class PublishedGallery(GallerySchema):
    """A gallery in the list."""

    published_at: datetime


class GalleryList(Schema):
    """The galleries that can be searched, by name."""

    galleries: list[PublishedGallery]


class GalleryDetail(GallerySchema):
    """A gallery with its labels and what its verdicts stand on."""

    labels: dict[str, int] = Field(description="How many images each label has.")
    scorers: list[ScorerName] = Field(description="What its encoder can judge pairs by.")
    class_head: bool = Field(description="Whether its encoder can narrow a search to the query's label.")
    threshold: float | None
    calibration: CalibrationSchema


class ImageSchema(Schema):
    """One image of a gallery."""

    image_id: int
    gallery: str
    build: int
    uri: str
    label: str | None
    checksum: str
    width: int = Field(description="Pixels of the upright picture.")
    height: int
    original: OriginalState = Field(
        description="Whether the file still holds these bytes; drawings use the thumbnail where it does not."
    )
