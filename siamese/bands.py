"""A large picture band by band, so that what is computed of it takes little memory beside it."""

from collections.abc import Iterator

BAND_PIXELS = 2**20
"""Pixels that are computed at once: a hundredth of the largest picture that is allowed."""

Box = tuple[int, int, int, int]
"""Left, top, right and bottom, in pixels."""


def bands(size: tuple[int, int]) -> Iterator[Box]:
    """Boxes of whole rows that make up a picture of (width, height), from top to bottom."""
    width, height = size
    rows = max(1, BAND_PIXELS // width)
    for top in range(0, height, rows):
        yield 0, top, width, min(top + rows, height)
