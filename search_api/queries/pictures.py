"""The picture behind an image: the original while its bytes are those indexed, else its thumbnail."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from PIL import Image

from gallery.builds.build import Build
from gallery.builds.image import GalleryImage
from gallery.sources.scanning import checksum
from gallery.sources.shards import is_in_shard
from search_api.errors import PictureUnavailable
from search_api.schemas.base import DrawnOn, OriginalState
from siamese.decoding import decode_for
from siamese.errors import UnreadableImage
from siamese.images import PILLOW_LIMIT, ImageLimits, decode, decode_reduced, read
from siamese.preprocessing import Placement, Preprocessing
from siamese.scaled_image import AnyImage, ScaledImage

JPEG_QUALITY = 90
URI_MARK = "://"
"""In what no answer reads because it would take long: storage and the web."""
ORIGINAL_LIMITS = ImageLimits(max_bytes=2**28, max_pixels=PILLOW_LIMIT)
"""Wider than what indexing allows by default: what was indexed may be drawn on."""
LEGIBLE_SIDE = 256
"""Pixels of the longer side below which a picture is enlarged, so that a heatmap on it can be seen."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture to draw on, RGB and upright in any size, and where the encoder's square lies in it.

    It is made when it is asked for first, because most answers draw on none.
    """

    make: Callable[[], Image.Image]
    placement: Placement
    drawn_on: DrawnOn

    @property
    def image(self) -> Image.Image:
        """Its pixels."""
        return self.make()

    def made(self) -> Picture:
        """The same, with its pixels at hand."""
        image = self.image
        return replace(self, make=lambda: image)


@dataclass(frozen=True, slots=True)
class Original:
    """Whether an image's file still holds the bytes that were indexed, and these bytes only if it does."""

    state: OriginalState
    data: bytes | None = None


def uploaded_picture(
    data: bytes, preprocessing: Preprocessing, *, limits: ImageLimits, max_side: int
) -> Picture:
    """A picture that was sent, its longer side at most `max_side` pixels; raises UnreadableImage."""
    return drawable_picture(_drawable(data, limits, max_side), preprocessing, max_side=max_side)


def picture_sent(data: bytes, placement: Placement, *, limits: ImageLimits, max_side: int) -> Picture:
    """The same of a picture that is known to be readable, and where the encoder's square lies in it."""
    return Picture(cache(lambda: upright(data, limits=limits, max_side=max_side)), placement, "upload")


def upright(data: bytes, *, limits: ImageLimits, max_side: int) -> Image.Image:
    """The pixels of a picture that was sent, as large as it is drawn on; raises UnreadableImage."""
    scaled = _drawable(data, limits, max_side)
    return _sized(scaled, min(max_side, max(scaled.pixels.size)))


def drawable_picture(
    image: AnyImage, preprocessing: Preprocessing, *, max_side: int, drawn_on: DrawnOn = "upload"
) -> Picture:
    """A picture that was decoded, or a part of one, its longer side at most `max_side` pixels."""
    scaled = ScaledImage.of(image)
    shown = _sized(scaled, min(max_side, max(scaled.pixels.size)))  # it is not enlarged
    return Picture(lambda: shown, preprocessing.placement(*image.size), drawn_on)


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
    data = (found or original(image)).data
    if data is None:
        small = thumbnail_image(image, build)
        return drawable_picture(small, preprocessing, max_side=max_side, drawn_on="thumbnail")
    large = _drawable(data, ORIGINAL_LIMITS, max_side)
    return drawable_picture(large, preprocessing, max_side=max_side, drawn_on="original")


def stored_image(
    image: GalleryImage, build: Build, preprocessing: Preprocessing
) -> tuple[ScaledImage, DrawnOn]:
    """The same as an encoder is given it: of the original the very pixels that were embedded.

    Raises PictureUnavailable.
    """
    data = original(image).data
    if data is not None:
        return decode_for(data, preprocessing, limits=ORIGINAL_LIMITS), "original"
    return thumbnail_image(image, build), "thumbnail"


def thumbnail_image(image: GalleryImage, build: Build) -> ScaledImage:
    """An image of the build in the pixels of its thumbnail; raises PictureUnavailable."""
    try:
        pixels = decode(thumbnail(image.image_id, build))
    except UnreadableImage as error:
        raise PictureUnavailable(image.image_id) from error
    return ScaledImage.shrunk(pixels, (image.width, image.height))


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
    if URI_MARK in image.uri or is_in_shard(image.uri):
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


def _encoded(image: Image.Image, form: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    clean = Image.new(image.mode, image.size)
    clean.paste(image)
    clean.save(buffer, form, **options)
    return buffer.getvalue()


def _drawable(data: bytes, limits: ImageLimits, max_side: int) -> ScaledImage:
    """The image in enough pixels to be drawn on."""
    return decode_reduced(data, lambda width, height: max(width, height) // max_side, limits=limits)


def _sized(image: ScaledImage, max_side: int) -> Image.Image:
    """Shrunk to `max_side`; a tiny picture enlarged by whole pixels, so that it stays what it is."""
    pixels, longer = image.pixels, max(image.size)
    if longer > max_side:
        width, height = (max(1, round(side * max_side / longer)) for side in image.size)
        return image.resized((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
    factor = LEGIBLE_SIDE // longer
    if factor < 2:
        return pixels
    return pixels.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
