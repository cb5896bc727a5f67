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

from PIL import Image, UnidentifiedImageError
from pydantic import BaseModel, Field

from siamese.bands import bands
from siamese.deep_grey import DEEP_MODES, shaded
from siamese.errors import UnreadableImage
from siamese.heif import AVIF, HEIF, require_plugin
from siamese.scaled_image import ScaledImage

# Pillow refuses anything larger by itself (twice its MAX_IMAGE_PIXELS).
PILLOW_LIMIT = 178_956_970
# Raster formats that announce themselves by their first bytes. Left out on purpose: formats that start
# another program (EPS), those that nearly any bytes pass for (TGA, PCX), and those that are decoded as they
# are opened, before their size can be judged (ICO).
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "MPO", AVIF, "JPEG2000", "PPM", "QOI", "DIB", HEIF)

# A progressive JPEG may repeat scans without data for hours; encoders write about ten.
MOST_SCANS = 100
# QOI, PPM as text or in odd shades, and BMP in runs Pillow decodes in Python: 2.3 µs a pixel at most where
# nothing else runs, twice that where a core is shared, so that these take less than ten seconds there, too.
MOST_PIXELS_IN_PYTHON = 2_500_000
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

# Only these are decoded smaller, and by libjpeg, in the frequencies: at 1/2, 1/4 and 1/8.
JPEGS = frozenset({"JPEG", "MPO"})
REDUCTIONS = (8, 4, 2)

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
    was not before. What is embedded is decoded by `siamese.decoding.decode_for`, and never here.
    """
    return decode_reduced(
        data, lambda width, height: 1 if draft is None else min(width, height) // draft, limits=limits
    ).pixels


def decode_reduced(data: bytes, reduction: Callable[[int, int], int], *, limits: ImageLimits) -> ScaledImage:
    """The same, where `reduction` says of its width and height how many times smaller a JPEG may be."""
    _check_bytes(data, limits)
    with _opened(data) as picture:
        _check_pixels(picture, limits)
        if picture.format in JPEGS and _has_too_many_scans(data):
            raise UnreadableImage(f"it has more than {MOST_SCANS} scans, which is made to take very long")
        try:
            scaled = _loaded(picture, reduction(*picture.size))
        except Exception as error:  # Pillow's decoders raise a dozen kinds for broken data
            raise _broken(error) from error
        turn = UPRIGHT.get(_orientation(picture))
        return scaled if turn is None else scaled.transposed(turn)


def _loaded(picture: Image.Image, most: int) -> ScaledImage:
    """The picture decoded, as it lies; a JPEG up to so many times smaller."""
    scale = next((each for each in REDUCTIONS if each <= most), 1)
    if scale == 1 or picture.format not in JPEGS:
        picture.load()
        return ScaledImage.of(_rgb(picture))
    width, height = picture.size
    drafted = picture.draft(None, (max(1, width // scale), max(1, height // scale)))
    picture.load()
    image = _rgb(picture)
    return ScaledImage.of(image) if drafted is None else ScaledImage(image, width, height, drafted[1])


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


def _check_pixels(picture: Image.Image, limits: ImageLimits) -> None:
    pixels, size = picture.width * picture.height, f"{picture.width} × {picture.height} pixels"
    if pixels > limits.max_pixels:
        raise UnreadableImage(f"the picture has {size}, and {limits.max_pixels:,} are allowed")
    if pixels > MOST_PIXELS_IN_PYTHON and _is_decoded_in_python(picture):
        raise UnreadableImage(
            f"the picture has {size}, and {MOST_PIXELS_IN_PYTHON:,} are allowed in this slow kind of "
            f"{picture.format}; save it as PNG"
        )


def _is_decoded_in_python(picture: Image.Image) -> bool:
    return any(tile[0] in Image.DECODERS for tile in getattr(picture, "tile", ()))


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


def _has_too_many_scans(data: bytes) -> bool:
    """Whether a JPEG would take very long; the marks of all that lies in the bytes are counted first."""
    return data.count(START_OF_SCAN) > MOST_SCANS and _scans(data) > MOST_SCANS


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
    printable = "".join(letter if letter.isprintable() else " " for letter in said)  # no database keeps a NUL
    return " ".join(printable.split())[:200] or type(error).__name__


def _orientation(picture: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1, as it lies, where the EXIF data are absent or broken."""
    try:
        return int(picture.getexif().get(ORIENTATION_TAG, 1))
    except Exception:  # noqa: BLE001 - broken EXIF data raise anything and are no reason to refuse a picture
        return 1


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode in DEEP_MODES:
        return shaded(picture)
    if picture.has_transparency_data:
        return _on_white(picture)
    return picture.convert("RGB")


def _on_white(picture: Image.Image) -> Image.Image:
    canvas = Image.new("RGB", picture.size, "white")
    for box in bands(picture.size):
        band = picture.crop(box).convert("RGBA")
        canvas.paste(band, box, mask=band.getchannel("A"))
    return canvas
