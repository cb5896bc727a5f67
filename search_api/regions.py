"""Rectangles of the upright picture that people name: in shares of its sides, or in pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from search_api.errors import InvalidQuestion

PIXELS = "px"
"""What stands behind four numbers that are pixels."""
MAX_REGIONS = 50
"""Masked regions of one query: more than a person draws."""
FORM = "write left,top,right,bottom in shares of the picture (0.1,0.2,0.5,0.6) or in pixels (40,30,200,180px)"

Edges = tuple[float, float, float, float]
Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle that is not empty: `edges` are left, top, right, bottom, in pixels or in shares.

    Raises InvalidQuestion for one that is empty or lies outside of every picture.
    """

    edges: Edges
    in_pixels: bool = False

    def __post_init__(self) -> None:
        left, top, right, bottom = self.edges
        if not all(map(math.isfinite, self.edges)):
            raise InvalidQuestion(f"The region {self} is not made of numbers: {FORM}.")
        if left >= right or top >= bottom:
            raise InvalidQuestion(
                f"The region {self} is empty: its right and bottom must be beyond its left and top."
            )
        if min(left, top) < 0 or (not self.in_pixels and max(right, bottom) > 1):
            raise InvalidQuestion(
                f"The region {self} reaches beyond the picture: shares lie between 0 and 1, and pixels have "
                f"“{PIXELS}” behind them."
            )

    @classmethod
    def parse(cls, text: str) -> Region:
        """The region that the text names; raises InvalidQuestion."""
        numbers, in_pixels = text.strip(), False
        if numbers.endswith(PIXELS):
            numbers, in_pixels = numbers.removesuffix(PIXELS), True
        try:
            left, top, right, bottom = (float(part) for part in numbers.split(","))
        except ValueError:
            raise InvalidQuestion(f"The region {text[:100]!r} is not understood: {FORM}.") from None
        return cls((left, top, right, bottom), in_pixels)

    def __str__(self) -> str:
        return ",".join(f"{edge:g}" for edge in self.edges) + (PIXELS if self.in_pixels else "")

    def shares(self, size: Size) -> Edges:
        """The edges in shares of a picture of this (width, height).

        Raises InvalidQuestion where pixels reach beyond it.
        """
        if not self.in_pixels:
            return self.edges
        (left, top, right, bottom), (width, height) = self.edges, size
        if right > width or bottom > height:
            raise InvalidQuestion(
                f"The region {self} reaches beyond the picture, which is {width} × {height} pixels."
            )
        return left / width, top / height, right / width, bottom / height


def regions(texts: Sequence[str] | None) -> tuple[Region, ...]:
    """The regions that the texts name; raises InvalidQuestion."""
    found = tuple(Region.parse(each) for each in texts or ())
    if len(found) > MAX_REGIONS:
        raise InvalidQuestion(f"A query has at most {MAX_REGIONS} masked regions, not {len(found)}.")
    return found


def in_pixels(shares: Edges, size: Size) -> tuple[int, int, int, int]:
    """The whole pixels that a rectangle in shares covers in a picture of this size, at least one."""
    left, top = (min(round(share * side), side - 1) for share, side in zip(shares[:2], size, strict=True))
    right, bottom = (round(share * side) for share, side in zip(shares[2:], size, strict=True))
    return left, top, max(right, left + 1), max(bottom, top + 1)
