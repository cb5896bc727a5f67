"""The small picture that is kept of each content, so that evidence can be drawn when the original is gone."""

import io

from PIL import Image

from siamese.preprocessing import LEAST_SIDE, Preprocessing
from siamese.scaled_image import AnyImage, ScaledImage

SHORTER_SIDE = LEAST_SIDE
LONGER_SIDE = 2048  # pixels; bounds the bytes of very long pictures (and JPEG ends at 65,500)


def thumbnail(image: AnyImage, preprocessing: Preprocessing, *, quality: int) -> bytes:
    """The whole upright picture as JPEG, scaled down to what the encoder saw of it and never up.

    It has the scale of the encoder's own resizing, unless its shorter side would fall below SHORTER_SIDE or
    its longer one exceed LONGER_SIDE; whatever the scale, relative coordinates are those of the picture.
    """
    scale = _scale(image.width, image.height, preprocessing)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    pixels = ScaledImage.of(image).resized(size, Image.Resampling.HAMMING, reducing_gap=3.0)
    encoded = io.BytesIO()
    pixels.save(encoded, "JPEG", quality=quality)
    return encoded.getvalue()


def _scale(width: int, height: int, preprocessing: Preprocessing) -> float:
    left, _, right, _ = preprocessing.placement(width, height).box
    as_seen = preprocessing.image_size / (right - left)
    legible = max(as_seen, SHORTER_SIDE / min(width, height))
    return min(legible, LONGER_SIDE / max(width, height), 1.0)
