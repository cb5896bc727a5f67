"""The JSON of a gallery's map."""

from __future__ import annotations

from pydantic import Field

from search_api.schemas.base import Schema


class MapPointsSchema(Schema):
    """The images of a map as columns: the n-th of each list belongs to the n-th image."""

    image_id: list[int]
    x: list[float] = Field(description="In [-1, 1]; both axes have one scale.")
    y: list[float]
    cluster: list[int] = Field(description="Of `clusters`, from 0.")
    label: list[int | None] = Field(description="Of `labels`, from 0; null where an image has none.")


class MapClusterSchema(Schema):
    """Images that look alike to the encoder."""

    images: int = Field(ge=1, description="How many of the map's images.")
    labels: dict[str, int] = Field(description="How many have each label, the most frequent first.")
    exemplar: int = Field(description="The image_id nearest to the centre.")
    nearest: list[int] = Field(description="The exemplar and the image_ids nearest to it, at most 24.")


class GalleryMapSchema(Schema):
    """A gallery laid out in the plane by the two principal components of its embeddings."""

    gallery: str
    build: int = Field(ge=1)
    images: int = Field(ge=0, description="Of the gallery; of more than 5,000 the map shows a part.")
    explained: tuple[float, float] = Field(
        description="Shares of the embeddings' variance that the two axes keep: what else makes images "
        "alike is not seen on the map."
    )
    labels: list[str]
    points: MapPointsSchema
    clusters: list[MapClusterSchema] = Field(description="The largest first, at most 40.")
