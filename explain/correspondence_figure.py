"""Two pictures side by side, and lines between the spots that answer each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageColor, ImageDraw

from explain import colours
from explain.map_plot import COLOURS
from explain.panels import Shown, ShownMatch, picture_box, veiled_tile
from explain.typography import BODY, SMALL, TITLE, write, write_lines

MOST = len(COLOURS)  # lines that can still be followed by eye, each in a colour of its own
MARGIN = 48
TILE = 440  # the square that a picture is fitted into
NEAR = TILE / 6  # lines whose ends lie nearer than this on both pictures run beside each other
BETWEEN = 96  # from picture to picture
MATCHED_AT = MARGIN + TILE + BETWEEN
HEADER = MARGIN + 128
WIDTH = MATCHED_AT + TILE + MARGIN
LIST = HEADER + TILE + 80
LISTED = 2  # columns of the list below
ENTRY = 30  # from line to line of it
FINE = 3  # lines are drawn this much larger and then reduced, so that they are smooth
THINNEST, THICKEST = 2.0, 7.0  # pixels of a line: by its contribution, beside the greatest
HALO = 1.5  # pixels of paper on either side of a line
BOW = 9  # pixels by which the middle of the first arc is bent, and every second one a step more
STEPS = 48  # straight pieces of an arc
DOT = 11  # pixels from the middle of a numbered end to its edge
NOTE = (
    "A line joins two spots that are each other's most alike; the thicker, the more they add to the cosine."
)
AVERAGE = "The average is what any two spots add."
NONE = "No two spots of these pictures are each other's most alike."

Point: TypeAlias = tuple[float, float]
Line: TypeAlias = tuple[Point, Point]


@dataclass(frozen=True, slots=True)
class Link:
    """Two spots that answer each other: their middles (x, y) in shares of either picture, and their numbers.

    `contribution` > 0 is what they add to the cosine of the pair, `times_average` that as a multiple of what
    any two spots add on average, None where that is not known, `cosine` how alike the two are by themselves.
    """

    query: Point
    matched: Point
    contribution: float
    times_average: float | None
    cosine: float


def correspondence_figure(
    query: Shown, match: ShownMatch, links: Sequence[Link], *, heading: str
) -> Image.Image:
    """Return one RGB picture of a pair with its strongest links, numbered and listed, MOST at the most.

    `links` come with the strongest first. Those that add less than two spots do on average are left out, and
    those that run beside a stronger one, which say nothing new.
    """
    strong = [link for link in links if link.times_average is None or link.times_average >= 1]
    ends = _apart([_ends(link, query, match.picture) for link in strong])
    drawn = [strong[place] for place in ends]
    rows = -(-len(drawn) // LISTED)
    canvas = Image.new("RGB", (WIDTH, LIST + ENTRY * rows + MARGIN), colours.PAPER)
    draw, room = ImageDraw.Draw(canvas), WIDTH - 2 * MARGIN
    write(draw, (MARGIN, MARGIN + 26), heading, size=TITLE, width=room)
    write_lines(draw, (MARGIN, MARGIN + 58), match.reason, size=SMALL, width=room, most=2)
    for shown, x in ((query, MARGIN), (match.picture, MATCHED_AT)):
        canvas.paste(veiled_tile(shown, TILE), (x, HEADER))
        write(draw, (x, HEADER - 12), shown.name, size=SMALL, fill=colours.MUTED, width=TILE)
    said = (MARGIN, HEADER + TILE + 28), _said(len(drawn), len(links))
    write_lines(draw, *said, size=SMALL, fill=colours.MUTED, width=room, most=2)
    entries = [
        (MARGIN + place // rows * (TILE + BETWEEN), LIST + ENTRY * (place % rows))
        for place in range(len(drawn))
    ]
    for (x, y), link in zip(entries, drawn, strict=True):
        write(draw, (x + 3 * DOT, y + 5), _numbers(link), size=BODY, width=TILE - 3 * DOT)
    _draw_links(canvas, list(ends.values()), _widths(drawn), [(x + DOT, y) for x, y in entries])
    return canvas


def _apart(ends: Sequence[Line]) -> dict[int, Line]:
    """Return by their places the first MOST lines that do not run beside an earlier one of them."""
    kept: dict[int, Line] = {}
    for place, line in enumerate(ends):
        beside = any(max(map(math.dist, line, other)) < NEAR for other in kept.values())
        if not beside and len(kept) < MOST:
            kept[place] = line
    return kept


def _said(drawn: int, found: int) -> str:
    if not found:
        return NONE
    left_out = f" {drawn} of {found} are drawn: the others add less, or run beside a stronger one."
    return f"{NOTE} {AVERAGE}{left_out if drawn < found else ''}"


def _numbers(link: Link) -> str:
    times = link.times_average
    return f"{'' if times is None else f'{times:.1f} times the average, '}alike by {link.cosine:.2f}"


def _ends(link: Link, query: Shown, matched: Shown) -> Line:
    """The pixels of the canvas that a link joins."""
    return _at(link.query, query, MARGIN), _at(link.matched, matched, MATCHED_AT)


def _at(spot: Point, shown: Shown, x: int) -> Point:
    left, top, right, bottom = picture_box(shown, TILE)
    return x + left + spot[0] * (right - left), HEADER + top + spot[1] * (bottom - top)


def _widths(links: Sequence[Link]) -> list[float]:
    greatest = max((link.contribution for link in links), default=1.0)
    return [THINNEST + (THICKEST - THINNEST) * link.contribution / greatest for link in links]


def _draw_links(
    canvas: Image.Image, lines: Sequence[Line], widths: Sequence[float], entries: Sequence[Point]
) -> None:
    """Lay lines, then their numbered ends and those of the list, over the canvas, the strongest on top."""
    fine = Image.new("RGBA", (canvas.width * FINE, canvas.height * FINE), (*colours.PAPER, 0))
    draw = ImageDraw.Draw(fine)
    for place in reversed(range(len(lines))):
        points = [(x * FINE, y * FINE) for x, y in _bow(lines[place], place)]
        for width, fill in ((widths[place] + 2 * HALO, colours.PAPER), (widths[place], _colour(place))):
            draw.line(points, fill=(*fill, 255), width=round(width * FINE), joint="curve")
    for place in reversed(range(len(lines))):
        for point in (*lines[place], entries[place]):
            _draw_dot(draw, point, place)
    smooth = fine.resize(canvas.size, Image.Resampling.BOX)
    canvas.paste(smooth, (0, 0), smooth)


def _bow(line: Line, place: int) -> list[Point]:
    """A line as an arc, each bent in its own way: straight, those in one row would hide each other."""
    rise = (BOW + BOW * (place // 2)) * (-1 if place % 2 == 0 else 1)
    along = np.linspace(0, 1, STEPS)
    (x, y), (to_x, to_y) = line
    xs, ys = x + along * (to_x - x), y + along * (to_y - y) + 4 * along * (1 - along) * rise
    return list(zip(xs.tolist(), ys.tolist(), strict=True))


def _draw_dot(draw: ImageDraw.ImageDraw, at: Point, place: int) -> None:
    """A round end with its number, on an edge of paper."""
    x, y = at[0] * FINE, at[1] * FINE
    for radius, fill in ((DOT + HALO, colours.PAPER), (DOT, _colour(place))):
        reach = radius * FINE
        draw.ellipse((x - reach, y - reach, x + reach, y + reach), fill=(*fill, 255))
    write(draw, (x, y), str(place + 1), size=SMALL * FINE, fill=colours.PAPER, anchor="mm")


def _colour(place: int) -> colours.RGB:
    red, green, blue = ImageColor.getrgb(COLOURS[place])[:3]
    return red, green, blue
