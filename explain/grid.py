"""One picture of a query and all that it was compared with, in rows, each with its numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw

from explain import colours
from explain.errors import NothingToDraw
from explain.judged import CHIP, JudgedImage, chance, draw_number, draw_verdict
from explain.panels import Shown, tile
from explain.typography import BODY, SMALL, TITLE, write

MARGIN = 48
TILE = 180  # the square that a picture is fitted into
GUTTER = 28
LINE = 24  # from baseline to baseline of the numbers
NUMBERS = 3
CELL = TILE + 22 + NUMBERS * LINE + CHIP + 34
QUERY = 180
HEADER = MARGIN + QUERY + 52
FEWEST_COLUMNS, MOST_COLUMNS = 4, 8
BREADTH = 1.3  # columns for each row of a large grid


def comparison_grid(
    query: Shown, compared: Sequence[JudgedImage], *, heading: str, note: str = ""
) -> Image.Image:
    """Return one RGB picture of a query and the images that it was compared with, in the order given.

    `heading` says who judged, `note` what the verdicts stand on. Raises NothingToDraw without an image.
    """
    if not compared:
        raise NothingToDraw("A comparison grid needs at least one image beside the query.")
    columns = columns_for(len(compared))
    rows = math.ceil(len(compared) / columns)
    width = 2 * MARGIN + columns * (TILE + GUTTER) - GUTTER
    canvas = Image.new("RGB", (width, HEADER + rows * CELL + MARGIN // 2), colours.PAPER)
    _draw_header(canvas, query, heading, note)
    for place, each in enumerate(compared):
        row, column = divmod(place, columns)
        _draw_cell(canvas, (MARGIN + column * (TILE + GUTTER), HEADER + row * CELL), each)
    return canvas


def columns_for(count: int) -> int:
    """Return how many images stand beside each other, so that the whole is a little broader than high."""
    return min(max(math.ceil(math.sqrt(BREADTH * count)), FEWEST_COLUMNS), MOST_COLUMNS)


def _draw_header(canvas: Image.Image, query: Shown, heading: str, note: str) -> None:
    draw = ImageDraw.Draw(canvas)
    canvas.paste(tile(query, QUERY), (MARGIN, MARGIN))
    x = MARGIN + QUERY + GUTTER
    room = canvas.width - x - MARGIN
    write(draw, (x, MARGIN + 14), "Query", size=SMALL, fill=colours.MUTED, width=room)
    write(draw, (x, MARGIN + 50), query.name, size=TITLE, width=room)
    write(draw, (x, MARGIN + 84), heading, size=BODY, fill=colours.MUTED, width=room)
    write(draw, (x, MARGIN + 110), note, size=SMALL, fill=colours.MUTED, width=room)
    y = HEADER - 26
    draw.line((MARGIN, y, canvas.width - MARGIN, y), fill=colours.RULE)


def _draw_cell(canvas: Image.Image, at: tuple[int, int], compared: JudgedImage) -> None:
    (x, y), judged = at, compared.judged
    canvas.paste(tile(compared.picture, TILE), at)
    name, y = compared.picture.name, y + TILE + 17
    write(ImageDraw.Draw(canvas), (x, y), name, size=SMALL, fill=colours.MUTED, width=TILE)
    numbers = (
        ("distance", f"{judged.distance:.3f}"),
        ("similarity", f"{judged.similarity:.3f}"),
        ("probability same", chance(judged)),
    )
    for line, (what, value) in enumerate(numbers, start=1):
        draw_number(canvas, (x, y + 3 + LINE * line), what, value, width=TILE)
    draw_verdict(canvas, (x, y + 15 + LINE * len(numbers)), judged.verdict)
