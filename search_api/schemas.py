"""The JSON contract: what the service answers and what ``--json`` prints, key for key and in this order."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

Verdict = Literal["same", "different"]
ExplainedScore = Literal["cosine", "distance"]
DrawnOn = Literal["original", "thumbnail", "upload"]
OriginalState = Literal["unchanged", "changed", "gone"]
Grid = list[list[float]]


class Schema(BaseModel):
    """A frozen piece of an answer that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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

    fitted_on: str | None = Field(description="What was fitted on; null where nothing could be fitted.")
    pairs: int = Field(ge=0, description="Labelled validation pairs it was fitted on.")
    reason: str | None = Field(description="Why probability and verdict are null; null where they are not.")


class ExplainedSchema(Schema):
    """The number that the maps add up to, and how they were made."""

    of: ExplainedScore
    value: float = Field(description="The explained number of this match.", examples=[0.92])
    baseline: float = Field(description="Its value at the verdict's threshold; 0 where there is no verdict.")
    method: str = Field(description="How the maps are made of the local embeddings.")


class SideSchema(Schema):
    """The two maps of one picture: rows from the top, numbers ≥ 0."""

    factual: Grid = Field(description="What supports the verdict.")
    counterfactual: Grid = Field(description="What speaks against it.")


class EvidenceSchema(Schema):
    """Both maps on both pictures, and the number they explain.

    For the cosine, on each picture, factual less counterfactual sums to value less baseline;
    to its negative where the verdict is "different".
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


class MatchSchema(Schema):
    """One answer to a query: the picture, how near it is, and why."""

    rank: int = Field(ge=1)
    image_id: int | None = Field(description="Null only for a picture that was uploaded to be compared.")
    uri: str | None
    label: str | None
    index_distance: float | None = Field(
        description="What the index reported, for ordering candidates only; null where no index was asked."
    )
    distance: float = Field(ge=0, description="Siamese distance of the unit embeddings; 0 = identical.")
    cosine: float = Field(description="1 − distance² / 2.")
    similarity: float = Field(description="1 − distance, in [−1, 1].")
    probability: float | None = Field(description="Calibrated chance that both show the same thing.")
    verdict: Verdict | None = Field(description="By the threshold; null where nothing could be fitted.")
    evidence: EvidenceSchema
    overlays: OverlaysSchema | None = Field(
        default=None, description="Present only where they were asked for."
    )

    @model_serializer(mode="wrap")
    def _leave_out_what_was_not_asked(self, serialize: SerializerFunctionWrapHandler):  # type: ignore[no-untyped-def]
        content: dict[str, Any] = serialize(self)
        if self.overlays is None:
            content.pop("overlays", None)
        return content


class SearchTimings(Schema):
    """Milliseconds of each stage of a search."""

    decode: float = Field(ge=0)
    embed: float = Field(ge=0, description="0 where the gallery holds these bytes, and so their embedding.")
    search: float = Field(ge=0)
    rescore: float = Field(ge=0)
    explain: float = Field(ge=0)
    total: float = Field(ge=0)


class SearchResponse(Schema):
    """The matches of one query, with the build and the encoder that found them."""

    query: QuerySchema
    gallery: str
    build: int = Field(ge=1)
    encoder: EncoderSchema
    threshold: float | None = Field(description="Distance at and below which the verdict is “same”.")
    calibration: CalibrationSchema
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
