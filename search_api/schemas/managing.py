"""Galleries, builds, images and encoders as those who manage them see them."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from pydantic import Field

from search_api.schemas.base import AskedSchema, Schema, SparseSchema
from search_api.schemas.encoder import CalibrationSchema, EncoderSchema


class UnreadableFile(Schema):
    """A file that could not be read when an import looked at it last, and so is no image."""

    uri: str
    checksum: str | None = Field(description="Null where it had no bytes to be named by.")
    reason: str


class UnreadableList(Schema):
    """What is left out of a gallery, by uri."""

    total: int = Field(ge=0, description="How many there are on all pages.")
    files: list[UnreadableFile]
    next_after: str | None = Field(description="Ask for those after this; null on the last page.")


class NewGallery(AskedSchema):
    """A gallery to be made, with nothing in it."""

    name: str = Field(examples=["flowers"], description="1 to 63 of a–z, 0–9, “.”, “_” and “-”.")


class MadeGallery(Schema):
    """A gallery that was made."""

    name: str
    build: int | None = Field(description="Null: nothing is published yet.")


class BuildSchema(Schema):
    """A build that a gallery keeps."""

    build: int = Field(ge=1)
    published: bool
    published_at: datetime
    encoder: EncoderSchema
    images: int = Field(ge=0)
    contents: int = Field(ge=0)
    labels: int = Field(ge=0)
    bytes: int = Field(ge=0, description="Of its segments, which builds share.")
    is_read: bool = Field(description="Whether somebody has it open.")


class BuildList(Schema):
    """The builds of a gallery, the newest first."""

    gallery: str
    build: int | None = Field(description="The published one; null before the first.")
    sources: list[str] = Field(description="What the gallery is made of.")
    builds: list[BuildSchema]


class ListedImage(SparseSchema):
    """One image in a list."""

    SPARSE: ClassVar[tuple[str, ...]] = ("attributes",)

    image_id: int
    uri: str
    label: str | None
    attributes: dict[str, str] | None = None
    checksum: str
    width: int
    height: int
    uploaded: bool = Field(description="Whether its original is the gallery's own.")


class ImageList(Schema):
    """Images of a gallery, by id."""

    gallery: str
    build: int
    images: list[ListedImage]
    next_after: int | None = Field(description="Ask for those after this one; null on the last page.")


class RemovalSchema(Schema):
    """An image that a person removed: these bytes are no image at this place any more."""

    image_id: int
    uri: str
    checksum: str
    author: str | None = Field(description="Null where nobody knows.")
    removed_at: datetime


class RemovalList(Schema):
    """Removals of a gallery, by image."""

    removals: list[RemovalSchema]
    next_after: int | None = Field(description="Ask for those after this one; null on the last page.")


class ImageChange(AskedSchema):
    """What a person says of an image from now on; what is left out stays as it is."""

    label: str | None = Field(default=None, max_length=500, description="Null takes the label away.")
    attributes: dict[str, str | None] = Field(
        default={}, description="Beside those that it has; null takes one away."
    )


class HeadsSchema(Schema):
    """The heads that an encoder was trained with."""

    pair: bool
    classes: bool


class KnownEncoderSchema(EncoderSchema):
    """An encoder that galleries have, or that new ones may choose."""

    body: str
    dimension: int = Field(ge=1)
    image_size: int = Field(ge=1, description="Side of its square, in pixels.")
    bytes: int = Field(ge=0, description="Of its checkpoint.")
    threshold: float | None = Field(description="Distance at and below which a search says “same”.")
    calibration: CalibrationSchema
    heads: HeadsSchema
    registered: bool = Field(description="Whether new galleries may choose it though no other one has it.")
    loaded: bool = Field(description="Whether this process has it in memory.")
    galleries: list[str] = Field(description="Those whose published build it has embedded.")


class EncoderList(Schema):
    """Encoders, by name."""

    encoders: list[KnownEncoderSchema]
