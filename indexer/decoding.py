"""From the bytes of a file to what the encoder and the gallery need of the image in them; loads no torch."""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from indexer.thumbnails import thumbnail
from siamese.decoding import decode_for
from siamese.images import ImageLimits
from siamese.preparing import Prepared, prepare
from siamese.preprocessing import Preprocessing


class Decoding(BaseModel):
    """How images are decoded in a run; what a decoding process is told at its start.

    Without a quality no thumbnails are made; they are empty then.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    preprocessing: Preprocessing
    grid: tuple[int, int]
    limits: ImageLimits
    thumbnail_quality: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """An image's upright size in pixels, what the encoder takes, and its thumbnail (JPEG)."""

    width: int
    height: int
    prepared: Prepared
    thumbnail: bytes


def decoded(data: bytes, how: Decoding) -> Decoded:
    """The image in the bytes; raises UnreadableImage."""
    image = decode_for(data, how.preprocessing, limits=how.limits)
    quality = how.thumbnail_quality
    small = b"" if quality is None else thumbnail(image, how.preprocessing, quality=quality)
    return Decoded(image.width, image.height, prepare(image, how.preprocessing, how.grid), small)
