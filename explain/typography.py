"""Words on a picture: one face in a few sizes, and text that fits its column."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import TypeAlias

from PIL import ImageDraw, ImageFont

from explain.colours import INK, RGB

Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont

TITLE, HEADING, BODY, SMALL = 30, 20, 16, 14  # sizes in pixels
LEADING = 1.4  # from line to line, in sizes


def write(
    draw: ImageDraw.ImageDraw,
    at: tuple[float, float],
    text: str,
    *,
    size: int,
    fill: RGB = INK,
    anchor: str = "ls",
    width: float | None = None,
) -> None:
    """Write a line whose `anchor` (the left end of its baseline) is `at`, cut to `width` pixels."""
    text = " ".join(text.split())
    font = _font(size, plain=text.isascii())
    draw.text(at, text if width is None else fitted(text, font, width), font=font, fill=fill, anchor=anchor)


def measured(text: str, *, size: int) -> float:
    """Return how wide a line is, in pixels."""
    return float(_font(size, plain=text.isascii()).getlength(text))


def write_lines(
    draw: ImageDraw.ImageDraw,
    at: tuple[float, float],
    text: str,
    *,
    size: int,
    width: float,
    most: int,
    fill: RGB = INK,
) -> None:
    """Write a text below `at` in at most so many lines of `width` pixels, broken between words."""
    for place, line in enumerate(broken(" ".join(text.split()), size, width, most)):
        write(draw, (at[0], at[1] + place * size * LEADING), line, size=size, fill=fill, width=width)


def fitted(text: str, font: Font, width: float) -> str:
    """Return the text, its middle left out where it is wider than `width`: ends tell names apart."""
    if font.getlength(text) <= width:
        return text
    for kept in range(len(text) - 1, 1, -1):
        short = f"{text[: (kept + 1) // 2]}...{text[len(text) - kept // 2 :]}"
        if font.getlength(short) <= width:
            return short
    return "..."


def broken(text: str, size: int, width: float, most: int) -> list[str]:
    """Return the text in at most so many lines; the last holds all that is left, however long."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and len(lines) < most and measured(longer, size=size) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


@cache
def _font(size: int, *, plain: bool) -> Font:
    """Pillow's own face has ASCII alone; what else there is to write, matplotlib's DejaVu can."""
    if plain:
        return ImageFont.load_default(size)
    face = files("matplotlib") / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
    # As bytes, because a packaged file need not lie on disk; DejaVu looks larger at the same size.
    return ImageFont.truetype(BytesIO(face.read_bytes()), round(size * 0.92))
