"""The picture behind an image: the original while its bytes are those indexed, else its thumbnail."""

from __future__ import annotations

import io
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from gallery.builds.build import Build, GalleryImage
from gallery.sources.scanning import checksum
from search_api.errors import PictureUnavailable
from search_api.schemas_base import DrawnOn, OriginalState
from siamese.errors import UnreadableImage
from siamese.images import PILLOW_LIMIT, ImageLimits, decode, read
from siamese.preprocessing import Placement, Preprocessing

JPEG_QUALITY = 90
URI_MARK, SHARD_MARK = "://", ".tar#"
"""In what no answer reads: storage and the web, where it would take long, and shards."""
ORIGINAL_LIMITS = ImageLimits(max_bytes=2**28, max_pixels=PILLOW_LIMIT)
"""Wider than what indexing allows by default: what was indexed may be drawn on."""
LEGIBLE_SIDE = 256
"""Pixels of the longer side below which a picture is enlarged, so that a heatmap on it can be seen."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture to draw on, RGB and upright in any size, and where the encoder's square lies in it."""

    image: Image.Image
    placement: Placement
    drawn_on: DrawnOn


@dataclass(frozen=True, slots=True)
class Original:
    """Whether an image's file still holds the bytes that were indexed, and these bytes only if it does."""

    state: OriginalState
    data: bytes | None = None


def uploaded_picture(
    image: Image.Image, preprocessing: Preprocessing, *, max_side: int, drawn_on: DrawnOn = "upload"
) -> Picture:
    """A picture that was sent or is a part of one, its longer side at most `max_side` pixels."""
    return Picture(_sized(image, max_side), preprocessing.placement(*image.size), drawn_on)


def stored_picture(
    image: GalleryImage,
    build: Build,
    preprocessing: Preprocessing,
    *,
    max_side: int,
    found: Original | None = None,
) -> Picture:
    """The original of an image of the build if its bytes are unchanged, else its thumbnail.

    `found` is the original where it was read before. Raises PictureUnavailable.
    """
    decoded, drawn_on = stored_image(image, build, found=found)
    placement = preprocessing.placement(image.width, image.height)
    return Picture(_sized(decoded, max_side), placement, drawn_on)


def stored_image(
    image: GalleryImage, build: Build, *, found: Original | None = None
) -> tuple[Image.Image, DrawnOn]:
    """The same, decoded in its own size, and which of the two it is; raises PictureUnavailable."""
    data = (found or original(image)).data
    if data is None:
        return _decoded_thumbnail(image, build), "thumbnail"
    return decode(data, limits=ORIGINAL_LIMITS), "original"


def thumbnail(image_id: int, build: Build) -> bytes:
    """The thumbnail of an image of the build, as JPEG; raises PictureUnavailable where it cannot be read."""
    try:
        data = build.thumbnail(image_id)
    except OSError as error:
        raise PictureUnavailable(image_id) from error
    if not data:
        raise PictureUnavailable(image_id)
    return data


def original(image: GalleryImage) -> Original:
    """Reads the image's file, if it is one of this machine, and compares its checksum."""
    if URI_MARK in image.uri or SHARD_MARK in image.uri.lower():
        return Original("elsewhere")
    try:
        data = read(Path(image.uri), limits=ORIGINAL_LIMITS)
    except UnreadableImage:
        return Original("changed" if Path(image.uri).exists() else "gone")
    return Original("unchanged", data) if checksum(data) == image.checksum else Original("changed")


def png(image: Image.Image) -> bytes:
    """The image as PNG, with nothing in it but pixels."""
    return _encoded(image, "PNG", compress_level=1)


def jpeg(image: Image.Image) -> bytes:
    """The image as JPEG, with nothing in it but pixels: no place, no camera, no hidden tail."""
    return _encoded(image, "JPEG", quality=JPEG_QUALITY)


def data_uri(png_data: bytes) -> str:
    """A PNG as text that a browser shows."""
    return "data:image/png;base64," + b64encode(png_data).decode("ascii")


def _decoded_thumbnail(image: GalleryImage, build: Build) -> Image.Image:
    try:
        return decode(thumbnail(image.image_id, build))
    except UnreadableImage as error:
        raise PictureUnavailable(image.image_id) from error


def _encoded(image: Image.Image, form: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    clean = Image.new(image.mode, image.size)
    clean.paste(image)
    clean.save(buffer, form, **options)
    return buffer.getvalue()


def _sized(image: Image.Image, max_side: int) -> Image.Image:
    """Shrunk to `max_side`; a tiny picture enlarged by whole pixels, so that it stays what it is."""
    longer = max(image.size)
    if longer > max_side:
        width, height = (max(1, round(side * max_side / longer)) for side in image.size)
        return image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
    factor = LEGIBLE_SIDE // longer
    if factor < 2:
        return image
    return image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
