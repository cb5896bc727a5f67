"""Pictures that are drawn by number: each another, all small, with the shape as their label."""

from __future__ import annotations

import io
import random
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw

SHAPES = ("disc", "square", "triangle", "ring", "cross", "bar")
SIDE = 128
"""Pixels; a photograph from a telephone takes longer to decode, which is measured elsewhere."""


def label_of(number: int) -> str:
    """The shape in the picture of this number."""
    return SHAPES[number % len(SHAPES)]


@lru_cache(maxsize=1024)
def drawn(number: int) -> bytes:
    """The picture of this number: a shape of chance colour, place and size, one in two a JPEG."""
    chance = random.Random(number)
    back, front, spot = (tuple(chance.randrange(256) for _ in range(3)) for _ in range(3))
    picture = Image.new("RGB", (SIDE, SIDE), back)
    draw = ImageDraw.Draw(picture)
    for _ in range(4):  # so that no two pictures are alike
        x, y, r = chance.randrange(SIDE), chance.randrange(SIDE), chance.randrange(2, 9)
        draw.rectangle((x, y, x + r, y + r), fill=spot)
    _shape(draw, label_of(number), chance, front)
    data = io.BytesIO()
    if number % 2:
        picture.save(data, "JPEG", quality=90)
    else:
        picture.save(data, "PNG", compress_level=1)
    return data.getvalue()


def write_drawn(folder: Path, numbers: range | list[int]) -> None:
    """The pictures of these numbers, each in a folder that is called as its shape."""
    for number in numbers:
        path = folder / label_of(number) / f"{number}.{'jpg' if number % 2 else 'png'}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(drawn(number))


def number_of(uri: str) -> int:
    """The number of the picture that lies here."""
    return int(Path(uri).stem.rpartition("-")[2])


def _shape(draw: ImageDraw.ImageDraw, shape: str, chance: random.Random, colour: tuple[int, ...]) -> None:
    r = chance.randrange(20, 50)
    x, y = chance.randrange(r, SIDE - r), chance.randrange(r, SIDE - r)
    box = (x - r, y - r, x + r, y + r)
    match shape:
        case "disc":
            draw.ellipse(box, fill=colour)
        case "square":
            draw.rectangle(box, fill=colour)
        case "triangle":
            draw.polygon([(x, y - r), (x + r, y + r), (x - r, y + r)], fill=colour)
        case "ring":
            draw.ellipse(box, outline=colour, width=max(3, r // 4))
        case "cross":
            draw.line((x - r, y - r, x + r, y + r), fill=colour, width=8)
            draw.line((x - r, y + r, x + r, y - r), fill=colour, width=8)
        case _:
            draw.rectangle((x - r, y - r // 4, x + r, y + r // 4), fill=colour)
