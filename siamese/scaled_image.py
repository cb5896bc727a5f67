"""An image at the scale that an encoder needs: in fewer pixels than it has, and still of its own size."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image
from PIL.Image import Resampling, Transpose

Box = tuple[float, float, float, float]
"""left, top, right, bottom"""

ON_ITS_SIDE = {Transpose.TRANSPOSE, Transpose.TRANSVERSE, Transpose.ROTATE_90, Transpose.ROTATE_270}
LEFT_TO_RIGHT = {Transpose.FLIP_LEFT_RIGHT, Transpose.ROTATE_180, Transpose.ROTATE_270, Transpose.TRANSVERSE}
TOP_TO_BOTTOM = {Transpose.FLIP_TOP_BOTTOM, Transpose.ROTATE_180, Transpose.ROTATE_90, Transpose.TRANSVERSE}
"""Turns are an exchange of both axes (`ON_ITS_SIDE`), and then a flip of one of them, of both or of none."""


@dataclass(frozen=True, slots=True, eq=False)
class ScaledImage:
    """An RGB image in the pixels that were decoded of it; `width` and `height` are those it has in full.

    `area` is where in the pixels the image lies: what is left of them, less than a pixel a side, is what a
    JPEG has beyond its edge.
    """

    pixels: Image.Image
    width: int
    height: int
    area: Box

    def __post_init__(self) -> None:
        left, top, right, bottom = self.area
        across, down = self.pixels.size
        if not (0 <= left < right <= across <= self.width and 0 <= top < bottom <= down <= self.height):
            raise ValueError(
                f"{self.area} of {self.pixels.size} pixels do not show a picture of {self.size} at a scale"
            )

    @classmethod
    def of(cls, image: AnyImage) -> ScaledImage:
        """An image that was decoded in full is one of its own size."""
        return image if isinstance(image, ScaledImage) else cls.shrunk(image, image.size)

    @classmethod
    def shrunk(cls, pixels: Image.Image, size: tuple[int, int]) -> ScaledImage:
        """All of an image of this size (width, height), in these pixels."""
        return cls(pixels, *size, (0, 0, *pixels.size))

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the image in full."""
        return self.width, self.height

    def resized(
        self,
        size: tuple[int, int],
        resampling: Resampling,
        *,
        box: Box | None = None,
        reducing_gap: float | None = None,
    ) -> Image.Image:
        """The image, or the part of it that a box of the image in full says, in so many pixels."""
        part = self.area if box is None else self._in_pixels(box)
        return self.pixels.resize(size, resampling, box=part, reducing_gap=reducing_gap)

    def transposed(self, turn: Transpose) -> ScaledImage:
        """The image flipped or turned."""
        box, size = self.area, self.size
        if turn in ON_ITS_SIDE:
            box, size = (box[1], box[0], box[3], box[2]), (size[1], size[0])
        pixels = self.pixels.transpose(turn)
        left, top, right, bottom = box
        if turn in LEFT_TO_RIGHT:
            left, right = pixels.width - right, pixels.width - left
        if turn in TOP_TO_BOTTOM:
            top, bottom = pixels.height - bottom, pixels.height - top
        return ScaledImage(pixels, *size, (left, top, right, bottom))

    def _in_pixels(self, box: Box) -> Box:
        """Where a box of the image in full lies in the pixels; of an image in full it is the same box."""
        x, y, right, bottom = self.area
        across, down = right - x, bottom - y
        left, top, right, bottom = box  # multiplied before it is divided, which is exact at a scale of 1
        return (
            x + left * across / self.width,
            y + top * down / self.height,
            x + right * across / self.width,
            y + bottom * down / self.height,
        )


AnyImage = Image.Image | ScaledImage
"""An image decoded in full, or at the scale that an encoder needs; either has the `size` of the image."""
