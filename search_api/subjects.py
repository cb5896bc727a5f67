"""What can be asked with, and what a scorer sees of it: who it is, its embedding, its local embeddings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gallery.builds.build import GalleryImage
from search_api.pictures import Picture
from search_api.schemas_base import ComputedFrom
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


Asked = Upload | Stored


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
    are the embedding in every cell, and no map may be shown of them.
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

    def __post_init__(self) -> None:
        if (self.upload is None) == (self.stored is None):
            raise ValueError("A picture of a pair is either an upload or an image of the gallery.")
