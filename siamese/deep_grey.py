"""Grey of more than 8 bits, which Pillow would clip and not scale."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from siamese.bands import bands

DEEP_MODES = frozenset({"I;16", "I;16L", "I;16B", "I;16N", "I", "F"})

WHITE = {"F": 1.0}
"""White of each mode where its values fit below it; of all others 65,535, as 16-bit PNG and PGM have it."""
SIXTEEN_BITS = 65535.0


def shaded(picture: Image.Image) -> Image.Image:
    """The picture in RGB, scaled from its black to its white.

    16-bit values are what they are; so are larger integers where they fit into 16 bits, and floats where they
    fit into [0, 1]. Where they do not, the picture's own finite range is the scale.
    """
    low, high = _scale(picture)
    canvas = Image.new("RGB", picture.size)
    for top, values in _bands(picture):
        canvas.paste(Image.fromarray(_shades(values, low, high)).convert("RGB"), (0, top))
    return canvas


def _scale(picture: Image.Image) -> tuple[float, float]:
    white = WHITE.get(picture.mode, SIXTEEN_BITS)
    if picture.mode.startswith("I;16"):
        return 0.0, white
    ranges = [(float(values.min()), float(values.max())) for _, values in _bands(picture)]
    low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    return (0.0, white) if low >= 0 and high <= white else (low, high)


def _bands(picture: Image.Image) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """The picture from top to bottom: the number of a row, and the finite values from there, (rows, w)."""
    for box in bands(picture.size):
        values = np.asarray(picture.crop(box)).astype(np.float32)
        yield box[1], np.nan_to_num(values, copy=False, posinf=0.0, neginf=0.0)


def _shades(values: NDArray[np.float32], low: float, high: float) -> NDArray[np.uint8]:
    """Shades from black at `low` to white at `high`."""
    with np.errstate(over="ignore"):  # a range beyond float32 is infinitely far from its lowest value: white
        values -= np.float32(low)
        values *= np.float32(255 / max(high - low, 1e-12))
    return np.rint(np.clip(values, 0, 255, out=values), out=values).astype(np.uint8)
