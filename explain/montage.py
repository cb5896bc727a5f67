"""One picture of many pairs, each with its similarity and whether its verdict is right."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw

from explain import colours
from explain.errors import NothingToDraw
from explain.judged import CHIP, STROKE, JudgedPair, chance, draw_number, draw_truth, draw_verdict
from explain.panels import Shown, tile
from explain.typography import BODY, SMALL, TITLE, write

MARGIN = 48
TILE = 132  # the square that a picture is fitted into
SEAM = 4  # between the two pictures of a pair
PAIR = 2 * TILE + SEAM
GUTTER = 36
LINE = 24
NAMES = 20
CELL = TILE + NAMES + 2 * LINE + CHIP + 46
FRAME = 9  # from a wrong pair to its frame
HEADER = MARGIN + 118
FEWEST_COLUMNS, MOST_COLUMNS = 3, 5
SLENDERNESS = 1.1  # rows for each column of a large montage


def pair_montage(pairs: Sequence[JudgedPair], *, heading: str, notes: Sequence[str] = ()) -> Image.Image:
    """Return one RGB picture of pairs in the order given; those that were judged wrongly are framed.

    `heading` says how it went, `notes` (two lines at most) what is shown and who judged.

    Raises NothingToDraw without a pair.
    """
    if not pairs:
        raise NothingToDraw("A montage needs at least one pair.")
    columns = columns_for(len(pairs))
    rows = math.ceil(len(pairs) / columns)
    width = 2 * MARGIN + columns * (PAIR + GUTTER) - GUTTER
    canvas = Image.new("RGB", (width, HEADER + rows * CELL + MARGIN // 2), colours.PAPER)
    draw, room = ImageDraw.Draw(canvas), width - 2 * MARGIN
    write(draw, (MARGIN, MARGIN + 26), heading, size=TITLE, width=room)
    for line, note in enumerate(notes):
        write(draw, (MARGIN, MARGIN + 58 + LINE * line), note, size=BODY, fill=colours.MUTED, width=room)
    for place, pair in enumerate(pairs):
        row, column = divmod(place, columns)
        _draw_pair(canvas, (MARGIN + column * (PAIR + GUTTER), HEADER + row * CELL), pair)
    return canvas


def columns_for(count: int) -> int:
    """Return how many pairs stand beside each other."""
    return min(max(math.ceil(math.sqrt(count / SLENDERNESS)), FEWEST_COLUMNS), MOST_COLUMNS)


def _draw_pair(canvas: Image.Image, at: tuple[int, int], pair: JudgedPair) -> None:
    x, y = at
    for place, shown in enumerate((pair.first, pair.second)):
        _draw_picture(canvas, (x + place * (TILE + SEAM), y), shown)
    baseline = y + TILE + NAMES + LINE - 4
    draw_number(canvas, (x, baseline), "similarity", f"{pair.judged.similarity:.3f}", width=PAIR)
    draw_number(canvas, (x, baseline + LINE), "probability same", chance(pair.judged), width=PAIR)
    below = baseline + LINE + 13
    draw_verdict(canvas, (x, below), pair.judged.verdict)
    if pair.right is not None:
        draw_truth(canvas, (x + PAIR, below), pair.right)
    if pair.right is False:
        box = (x - FRAME, y - FRAME, x + PAIR + FRAME, below + CHIP + FRAME)
        ImageDraw.Draw(canvas).rectangle(box, outline=colours.WRONG, width=STROKE)


def _draw_picture(canvas: Image.Image, at: tuple[int, int], shown: Shown) -> None:
    canvas.paste(tile(shown, TILE), at)
    words, below = shown.label or shown.name, (at[0], at[1] + TILE + 17)
    write(ImageDraw.Draw(canvas), below, words, size=SMALL, fill=colours.MUTED, width=TILE - SEAM)
