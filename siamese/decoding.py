"""From bytes to an image as an encoder is given it: whoever embeds calls this, so that all see the same."""

from __future__ import annotations

from siamese.images import DEFAULT_LIMITS, ImageLimits, decode_reduced
from siamese.preprocessing import Preprocessing
from siamese.scaled_image import ScaledImage


def decode_for(
    data: bytes, preprocessing: Preprocessing, *, limits: ImageLimits = DEFAULT_LIMITS
) -> ScaledImage:
    """The image in these bytes, decoded at the scale that an encoder of this preprocessing needs.

    Raises UnreadableImage, never another exception.
    """
    return decode_reduced(data, preprocessing.reduction, limits=limits)
