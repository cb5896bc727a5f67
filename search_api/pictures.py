"""The picture behind an image: the original while its bytes are those indexed, else its thumbnail."""

from __future__ import annotations

import io
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from gallery.build import Build, GalleryImage
from gallery.scanning import checksum
from search_api.schemas import DrawnOn, OriginalState
from search_api.subjects import Subject
from siamese.errors import UnreadableImage
from siamese.images import decode, read
from siamese.preprocessing import Placement, Preprocessing

JPEG_QUALITY = 90


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture to draw on, RGB and upright in any size, and where the encoder's square lies in it."""

    image: Image.Image
    placement: Placement
    drawn_on: DrawnOn


def picture_of(
    subject: Subject, build: Build | None, preprocessing: Preprocessing, *, max_side: int
) -> Picture:
    """The picture of one side of a pair, its longer side at most `max_side` pixels."""
    if subject.image is not None:
        placement = preprocessing.placement(*subject.image.size)
        return Picture(_shrunk(subject.image, max_side), placement, "upload")
    assert build is not None and subject.stored is not None  # what is no upload was read from a build
    return stored_picture(subject.stored, build, preprocessing, max_side=max_side)


def stored_picture(
    image: GalleryImage, build: Build, preprocessing: Preprocessing, *, max_side: int
) -> Picture:
    """The original of an image of the build if its bytes are unchanged, else its thumbnail."""
    placement = preprocessing.placement(image.width, image.height)
    _, data = original(image)
    if data is None:
        thumbnail = Image.open(io.BytesIO(build.thumbnail(image.image_id))).convert("RGB")
        return Picture(_shrunk(thumbnail, max_side), placement, "thumbnail")
    return Picture(_shrunk(decode(data), max_side), placement, "original")


def original(image: GalleryImage) -> tuple[OriginalState, bytes | None]:
    """Whether the image's file still holds the bytes that were indexed, and these bytes only if it does."""
    try:
        data = read(Path(image.uri))
    except UnreadableImage:
        return ("changed" if Path(image.uri).exists() else "gone"), None
    return ("unchanged", data) if checksum(data) == image.checksum else ("changed", None)


def png(image: Image.Image) -> bytes:
    """The image as PNG, with nothing in it but pixels."""
    return _encoded(image, "PNG", compress_level=1)


def jpeg(image: Image.Image) -> bytes:
    """The image as JPEG, with nothing in it but pixels: no place, no camera, no hidden tail."""
    return _encoded(image, "JPEG", quality=JPEG_QUALITY)


def data_uri(png_data: bytes) -> str:
    """A PNG as text that a browser shows."""
    return "data:image/png;base64," + b64encode(png_data).decode("ascii")


def _encoded(image: Image.Image, form: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    clean = Image.new("RGB", image.size)
    clean.paste(image)
    clean.save(buffer, form, **options)
    return buffer.getvalue()


def _shrunk(image: Image.Image, max_side: int) -> Image.Image:
    longer = max(image.size)
    if longer <= max_side:
        return image
    size = tuple(max(1, round(side * max_side / longer)) for side in image.size)
    return image.resize((size[0], size[1]), Image.Resampling.LANCZOS, reducing_gap=2.0)
