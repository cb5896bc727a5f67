"""What there is to search: galleries, and the images in them."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from search_api.schemas.base import OriginalState, Schema, ScorerName, SparseSchema
from search_api.schemas.encoder import CalibrationSchema, EncoderSchema
from siamese.preprocessing import Fit


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


class AttributeSchema(Schema):
    """What the images of a gallery have under one name, to be asked for with `where`."""

    name: str = Field(examples=["year"])
    images: int = Field(ge=1, description="How many images have it.")
    numbers: int = Field(ge=0, description="How many of them have a number.")
    least: float | None = Field(description="Of the numbers; null where there are none.")
    greatest: float | None
    values: dict[str, int] | None = Field(
        description="How many images have each value, the most frequent first; null where they are many."
    )


class WatchSchema(Schema):
    """A share of the searches of this build, compared with exact search since the service was started."""

    searches: int = Field(ge=1)
    recall: float = Field(description="Share of the ten nearest that they found.")
    low: float = Field(description="Of the 95 % interval of the recall.")
    high: float
    expected: float | None = Field(description="Recall when the index was built; null for an exact one.")
    shift: float | None = Field(
        description="How far the distances of the last neighbours are distributed otherwise than then, in "
        "[0, 1]; null with too few searches."
    )
    warnings: list[str] = Field(description="What has drifted, and what to do; a sentence each.")


class GalleryDetail(GallerySchema):
    """A gallery with its labels and what its verdicts stand on."""

    labels: dict[str, int] = Field(description="How many images each label has.")
    attributes: list[AttributeSchema] = Field(description="What tables say of its images, by name.")
    scorers: list[ScorerName] = Field(description="What its encoder can judge pairs by.")
    fit: Fit = Field(
        description="What its encoder sees of a picture: its largest centred square, or all of it."
    )
    class_head: bool = Field(description="Whether its encoder can narrow a search to the query's label.")
    threshold: float | None
    calibration: CalibrationSchema
    watch: WatchSchema | None = Field(description="Null until a search has been compared.")


class ImageSchema(SparseSchema):
    """One image of a gallery."""

    SPARSE = ("attributes",)

    image_id: int
    gallery: str
    build: int
    uri: str
    label: str | None
    attributes: dict[str, str] | None = Field(
        default=None, description="What a table says of it besides; present only where one does."
    )
    checksum: str
    width: int = Field(description="Pixels of the upright picture.")
    height: int
    original: OriginalState = Field(
        description="Whether the file still holds these bytes; drawings use the thumbnail where it does not, "
        "and where it lies elsewhere: in a shard, in other storage, on the web."
    )
