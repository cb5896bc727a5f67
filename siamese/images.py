"""From bytes to an image: one decoder for training, indexing, queries and evidence.

An image is upright, RGB and fully decoded. Transparency lies on white; of an animation it is the first
frame. Colour profiles are not applied.
"""

from __future__ import annotations

import stat
import threading
import warnings
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from pydantic import BaseModel, Field

from siamese.errors import UnreadableImage
from siamese.heif import AVIF, HEIF, require_plugin

# Pillow refuses anything larger by itself (twice its MAX_IMAGE_PIXELS).
PILLOW_LIMIT = 178_956_970
# Raster formats that announce themselves by their first bytes. Left out on purpose: formats that start
# another program (EPS), those that nearly any bytes pass for (TGA, PCX), and those that are decoded as they
# are opened, before their size can be judged (ICO).
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "MPO", AVIF, "JPEG2000", "PPM", "QOI", "DIB", HEIF)

# A progressive JPEG may repeat scans without data for hours; encoders write about ten.
MOST_SCANS = 100
START_OF_SCAN, END_OF_IMAGE = b"\xff\xda", b"\xff\xd9"

ORIENTATION_TAG = 0x0112
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# catch_warnings swaps a list of the whole process: one of our threads at a time.
_WARNINGS = threading.Lock()


class ImageLimits(BaseModel, frozen=True):
    """What a picture may cost: bytes before it is opened, pixels before it is decoded."""

    max_bytes: int = Field(64 * 2**20, ge=1)
    max_pixels: int = Field(100_000_000, ge=1, le=PILLOW_LIMIT)


DEFAULT_LIMITS = ImageLimits()


def read(path: Path, *, limits: ImageLimits = DEFAULT_LIMITS) -> bytes:
    """The bytes of an image file. Raises UnreadableImage, never another exception."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise UnreadableImage("it is not a regular file")
        with path.open("rb") as file:
            data = file.read(limits.max_bytes + 1)
    except FileNotFoundError as error:
        raise UnreadableImage("the file is not there") from error
    except (OSError, ValueError) as error:
        raise UnreadableImage(f"the file cannot be read ({_told(error)})") from error
    _check_bytes(data, limits)
    return data


def decode(data: bytes, *, limits: ImageLimits = DEFAULT_LIMITS, draft: int | None = None) -> Image.Image:
    """The image in these bytes: upright, RGB, decoded. Raises UnreadableImage, never another exception.

    With `draft`, a JPEG may come out several times smaller and faster, but no side below so many pixels that
    was not before.
    """
    _check_bytes(data, limits)
    with _opened(data) as picture:
        if picture.width * picture.height > limits.max_pixels:
            size = f"{picture.width} × {picture.height} pixels"
            raise UnreadableImage(f"the picture has {size}, and {limits.max_pixels:,} are allowed")
        if picture.format in {"JPEG", "MPO"} and _scans(data) > MOST_SCANS:
            raise UnreadableImage(f"it has more than {MOST_SCANS} scans, which is made to take very long")
        try:
            if draft is not None:
                picture.draft(None, (draft, draft))
            picture.load()
            image = _rgb(picture)
        except Exception as error:  # Pillow's decoders raise a dozen kinds for broken data
            raise _broken(error) from error
        turn = UPRIGHT.get(_orientation(picture))
        return image if turn is None else image.transpose(turn)


def why_none_is_a_picture(
    paths: Iterable[Path], *, limits: ImageLimits = DEFAULT_LIMITS
) -> list[tuple[Path, str]] | None:
    """Each file with its reason; None if one of them is a picture, and no further one is read then."""
    reasons = []
    for path in paths:
        try:
            decode(read(path, limits=limits), limits=limits)
        except UnreadableImage as error:
            reasons.append((path, error.reason))
        else:
            return None
    return reasons


def _check_bytes(data: bytes, limits: ImageLimits) -> None:
    if not data:
        raise UnreadableImage("the file is empty")
    if len(data) > limits.max_bytes:
        raise UnreadableImage(f"the file is larger than the {limits.max_bytes:,} bytes that are allowed")


def _opened(data: bytes) -> Image.Image:
    """The picture with only its header read."""
    Image.init()
    require_plugin(data)
    formats = [name for name in FORMATS if name in Image.OPEN]
    try:
        with _WARNINGS, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of sizes and odd headers: we judge those ourselves
            return Image.open(BytesIO(data), formats=formats)
    except UnidentifiedImageError as error:
        raise UnreadableImage("it is no picture in a known format, or its header is broken") from error
    except Image.DecompressionBombError as error:
        raise UnreadableImage(f"the picture has more than {PILLOW_LIMIT:,} pixels") from error
    except Exception as error:  # Pillow's readers of headers raise a dozen kinds for broken data
        raise _broken(error) from error


def _scans(data: bytes) -> int:
    """How many scans a JPEG's (first) picture has; an EXIF thumbnail and what follows it do not count."""
    at = 2
    while data[at : at + 1] == b"\xff" and data[at : at + 2] != START_OF_SCAN:
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    end = data.find(END_OF_IMAGE, at)
    return data.count(START_OF_SCAN, at, end if end >= 0 else len(data))


def _broken(error: Exception) -> UnreadableImage:
    if isinstance(error, UnreadableImage):
        return error
    told = _told(error)
    if "truncated" in told.lower() or isinstance(error, EOFError):
        return UnreadableImage("the picture is truncated: its data end too early")
    return UnreadableImage(f"the picture cannot be decoded ({told})")


def _told(error: Exception) -> str:
    """What an exception says of itself, on one line."""
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(said.split())[:200] or type(error).__name__


def _orientation(picture: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1, as it lies, where the EXIF data are absent or broken."""
    try:
        return int(picture.getexif().get(ORIENTATION_TAG, 1))
    except Exception:  # noqa: BLE001 - broken EXIF data raise anything and are no reason to refuse a picture
        return 1


def _rgb(picture: Image.Image) -> Image.Image:
    convert = _DEEP.get(picture.mode)
    if convert is not None:
        return Image.fromarray(convert(np.asarray(picture))).convert("RGB")
    if picture.has_transparency_data:
        return _on_white(picture.convert("RGBA"))
    return picture.convert("RGB")


def _on_white(picture: Image.Image) -> Image.Image:
    canvas = Image.new("RGB", picture.size, "white")
    canvas.paste(picture, mask=picture.getchannel("A"))
    return canvas


def _from_16_bits(grey: NDArray[np.generic]) -> NDArray[np.uint8]:
    return _scaled(grey.astype(np.float32), 0.0, 65535.0)


def _from_32_bits(grey: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Integers are 16-bit values where they fit (so Pillow opens PGM); else their own range is the scale."""
    return _shaded(grey.astype(np.float32), 65535.0)


def _from_floats(grey: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Floats are in [0, 1] where they fit; else their own finite range is the scale."""
    return _shaded(np.nan_to_num(grey.astype(np.float32), copy=False, posinf=0.0, neginf=0.0), 1.0)


def _shaded(values: NDArray[np.float32], white: float) -> NDArray[np.uint8]:
    low, high = float(values.min()), float(values.max())
    return _scaled(values, 0.0, white) if low >= 0 and high <= white else _scaled(values, low, high)


def _scaled(values: NDArray[np.float32], low: float, high: float) -> NDArray[np.uint8]:
    """Shades from black at `low` to white at `high`; in place, because a picture may have 10^8 pixels."""
    with np.errstate(over="ignore"):  # a range beyond float32 is infinitely far from its lowest value: white
        values -= np.float32(low)
        values *= np.float32(255 / max(high - low, 1e-12))
    return np.rint(np.clip(values, 0, 255, out=values), out=values).astype(np.uint8)


# Grey of more than 8 bits, which Pillow would clip and not scale.
_DEEP: dict[str, Callable[[NDArray[np.generic]], NDArray[np.uint8]]] = {
    "I;16": _from_16_bits,
    "I;16L": _from_16_bits,
    "I;16B": _from_16_bits,
    "I;16N": _from_16_bits,
    "I": _from_32_bits,
    "F": _from_floats,
}
