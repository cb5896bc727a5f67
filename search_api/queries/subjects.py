"""What can be asked with, and what a scorer sees of it: who it is, its embedding, its local embeddings."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gallery.builds.image import GalleryImage
from search_api.errors import InvalidQuestion
from search_api.queries.pictures import Picture
from search_api.regions import Edges, Region
from search_api.schemas.base import ComputedFrom
from search_api.scoring import Floats


@dataclass(frozen=True, slots=True)
class Upload:
    """A picture that was sent: its bytes as they came, and what the answer calls it."""

    data: bytes
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """An image of the gallery."""

    image_id: int


@dataclass(frozen=True, slots=True)
class Linked:
    """A picture of the web, which is fetched if that is allowed."""

    url: str


@dataclass(frozen=True, slots=True)
class KeptUpload:
    """A picture that was sent before and is kept for a while; its id opens it, and is shown to nobody."""

    query_id: str = field(repr=False)


Whole = Upload | Stored | Linked | KeptUpload


@dataclass(frozen=True, slots=True)
class Part:
    """What is left of a picture: a crop of it, without regions that are to be ignored.

    All of them are told in the whole upright picture.
    """

    of: Whole
    crop: Region | None = None
    masked: tuple[Region, ...] = ()


@dataclass(frozen=True, slots=True)
class Weighted:
    """One of several pictures that are asked with together; a negative weight asks for what is unlike it."""

    asked: Whole | Part
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not math.isfinite(self.weight) or self.weight == 0:
            raise InvalidQuestion(f"A query's weight is a number other than 0, not {self.weight:g}.")


@dataclass(frozen=True, slots=True)
class Several:
    """Pictures that are asked with together: by the normalised sum of their weighted embeddings."""

    queries: tuple[Weighted, ...]

    def __post_init__(self) -> None:
        if not any(each.weight > 0 for each in self.queries):
            raise InvalidQuestion(
                f"None of the {len(self.queries)} queries has a positive weight: one at least must."
            )


Asked = Whole | Part | Several


@dataclass(frozen=True, slots=True)
class Cut:
    """What of a picture was asked with, in shares of the upright picture: `crop` None where it is all of it.

    `pixels` are those of the crop.
    """

    crop: Edges | None
    pixels: tuple[int, int, int, int] | None
    masked: tuple[Edges, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Local embeddings (h, w, D) float32, and what they were computed from."""

    local_embeddings: Floats
    computed_from: ComputedFrom


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """One picture of a pair: an upload (`upload` is there) or an image of the gallery (`stored` is there).

    embedding (D,) float32 of unit length and local_embeddings (h, w, D) float32, by the encoder of this
    fingerprint; detail (h, w) uint8, the standard deviation of luminance within each cell, 0 where the
    encoder saw none of the picture, and None for an image that was indexed before this was kept.
    computed_from says whether local_embeddings were stored, or of which picture they are; of "nothing" they
    are the embedding in every cell, and no map may be shown of them. `cut` says which part of the picture it
    is, where it is not all of it. Of pictures that were asked with together (`several`) it is the first
    positive one with the embedding of all, and the local embeddings (n h, w, D) of one below the other.
    """

    checksum: str
    uri: str | None
    fingerprint: str
    embedding: Floats
    local_embeddings: Floats
    computed_from: ComputedFrom
    upload: Picture | None = None
    stored: GalleryImage | None = None
    detail: NDArray[np.uint8] | None = None
    cut: Cut | None = None
    several: tuple[QueryImage, ...] = ()

    def __post_init__(self) -> None:
        if (self.upload is None) == (self.stored is None):
            raise ValueError("A picture of a pair is either an upload or an image of the gallery.")


@dataclass(frozen=True, slots=True, eq=False)
class QueryImage:
    """One of several pictures that were asked with together.

    Its cosine with a matched image, times `factor`, is its share of the cosine of all.
    """

    subject: Subject
    weight: float
    factor: float
