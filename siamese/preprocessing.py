"""From an upright picture of any shape to the encoder's square, undistorted, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from siamese.scaled_image import AnyImage, ScaledImage

Fit = Literal["crop", "pad"]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

# A cell counts as seen when at least this share of it shows the picture and not the padding.
SEEN_SHARE = 0.5

REDUCING_GAP = 2.0
"""Of new encoders, as measured by benchmarks/reducing_gap.py (docs/decisions/0022)."""
LEAST_SIDE = 128
"""Pixels of the shorter side that are always decoded: what a person needs to tell what a picture shows."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the encoder's square lies in the upright picture.

    `box` is (left, top, right, bottom) in picture pixels: beyond the picture is padding; what of the
    picture lies outside the box was cropped, so the encoder has not seen it.
    """

    width: int
    height: int
    box: tuple[float, float, float, float]

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f"a picture of {self.width} × {self.height} pixels has no area")
        left, top, right, bottom = self.box
        if right <= left or bottom <= top:
            raise ValueError(f"the box {self.box} has no area")


class Preprocessing(BaseModel, frozen=True):
    """How an image becomes the tensor that the encoder was made for; travels in the checkpoint.

    `crop` takes the largest centred square, `pad` the smallest square around the whole picture. A JPEG is
    decoded smaller where that leaves the square at least `reducing_gap` times as many pixels a side as the
    encoder takes; encoders from before there was a gap have none, and keep their fingerprint.
    """

    image_size: int = Field(224, ge=8, le=2048, description="side of the encoder's square in pixels")
    fit: Fit = "crop"
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    reducing_gap: float = Field(
        0.0, ge=0, description="pixels decoded for one of the encoder's, along a side; 0: always in full"
    )

    @model_validator(mode="after")
    def _enlarges_nothing(self) -> Preprocessing:
        if 0 < self.reducing_gap < 1:
            raise ValueError(f"a reducing gap is 0 (none) or at least 1, and not {self.reducing_gap:g}")
        return self

    @model_serializer(mode="wrap")
    def _as_before(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """What an encoder without a gap is described by, and so its fingerprint, is what it always was."""
        fields: dict[str, Any] = written(self)
        return fields if self.reducing_gap else {k: v for k, v in fields.items() if k != "reducing_gap"}

    @classmethod
    def of_new_encoders(cls, **chosen: Any) -> Preprocessing:
        """With the gap that an encoder gets which is made today."""
        return cls.model_validate({"reducing_gap": REDUCING_GAP, **chosen})

    def reduction(self, width: int, height: int) -> int:
        """How many times smaller a picture of this size may be decoded; at least 1, which is in full."""
        if not self.reducing_gap:
            return 1
        shorter, longer = sorted((width, height))
        side = shorter if self.fit == "crop" else longer
        return max(1, min(int(side // (self.reducing_gap * self.image_size)), shorter // LEAST_SIDE))

    def placement(self, width: int, height: int) -> Placement:
        """Where the square lies in an upright picture of this size."""
        if self.fit == "crop":
            side = min(width, height)
            left, top = (width - side) / 2, (height - side) / 2
        else:
            side = max(width, height)
            x, y, _, _ = self._pasted(width, height)
            left, top = -x * side / self.image_size, -y * side / self.image_size
        return Placement(width, height, (left, top, left + side, top + side))

    def preprocess(self, image: AnyImage) -> NDArray[np.float32]:
        """The encoder's square: (3, S, S) float32, normalised; padding is 0, which is the mean colour."""
        scaled = ScaledImage.of(image)
        if (mode := scaled.pixels.mode) != "RGB":
            raise ValueError(f"the picture is {mode}, and only a decoded RGB picture can be prepared")
        if self.fit == "crop":
            return self._normalised(self._resized(scaled, (self.image_size, self.image_size)))
        rows, columns = self.shown_part(*image.size)
        pasted = (columns.stop - columns.start, rows.stop - rows.start)
        square = np.zeros((3, self.image_size, self.image_size), np.float32)
        square[:, rows, columns] = self._normalised(self._resized(scaled, pasted))
        return square

    def shown_part(self, width: int, height: int) -> tuple[slice, slice]:
        """The rows and the columns of the square that show the picture; the others are padding."""
        if self.fit == "crop":
            return slice(0, self.image_size), slice(0, self.image_size)
        x, y, pasted_width, pasted_height = self._pasted(width, height)
        return slice(y, y + pasted_height), slice(x, x + pasted_width)

    def seen_cells(self, width: int, height: int, grid: tuple[int, int]) -> NDArray[np.bool_]:
        """Which cells of the grid show the picture: (h, w) bool, False in padding, never all False."""
        if self.fit == "crop":
            return np.ones(grid, np.bool_)
        rows, columns = self.shown_part(width, height)
        share_of_rows = _covered(grid[0], rows.start, rows.stop, self.image_size)
        share_of_columns = _covered(grid[1], columns.start, columns.stop, self.image_size)
        share = share_of_rows[:, None] * share_of_columns[None, :]
        return np.asarray(share >= min(SEEN_SHARE, share.max()) - 1e-9)

    def seen_pixels(self, width: int, height: int) -> NDArray[np.bool_]:
        """Which pixels of the square show a picture of this size: (S, S) bool, False in padding."""
        seen = np.zeros((self.image_size, self.image_size), np.bool_)
        seen[self.shown_part(width, height)] = True
        return seen

    def _resized(self, image: ScaledImage, size: tuple[int, int]) -> Image.Image:
        """The part of the picture that is kept, at the size it has in the square; antialiased."""
        left, top, right, bottom = self.placement(*image.size).box
        kept = (max(left, 0), max(top, 0), min(right, image.width), min(bottom, image.height))
        return image.resized(size, Image.Resampling.BILINEAR, box=kept)

    def _normalised(self, image: Image.Image) -> NDArray[np.float32]:
        scale = 1 / (255 * np.asarray(self.std, np.float32))
        shift = np.asarray(self.mean, np.float32) / np.asarray(self.std, np.float32)
        planes: NDArray[np.float32] = np.asarray(image).transpose(2, 0, 1).astype(np.float32, order="C")
        # In place and along rows: a quarter of the time.
        np.multiply(planes, scale[:, None, None], out=planes)
        np.subtract(planes, shift[:, None, None], out=planes)
        return planes

    def _pasted(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Where a padded picture lies in the square: x, y, width, height in whole pixels of the square."""
        scale = self.image_size / max(width, height)
        pasted = (max(1, round(width * scale)), max(1, round(height * scale)))
        return (self.image_size - pasted[0]) // 2, (self.image_size - pasted[1]) // 2, *pasted


def _covered(cells: int, start: int, stop: int, length: int) -> NDArray[np.float64]:
    """The share of each of equal cells along one axis that lies in [start, stop)."""
    edges = np.linspace(0, length, cells + 1)
    overlap = np.clip(np.minimum(edges[1:], stop) - np.maximum(edges[:-1], start), 0, None)
    return np.asarray(overlap * cells / length)
