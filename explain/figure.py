"""One picture to look at: a query, its matches, their numbers, and where each number comes from."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw

from explain import colours
from explain.captions import balance_numbers, captions, explained_numbers
from explain.chances import percentage
from explain.errors import NothingToDraw
from explain.evidence import Side
from explain.heatmap import shared_scale
from explain.panels import BAR, Shown, ShownMatch, draw_legend, tile
from explain.typography import BODY, HEADING, SMALL, TITLE, measured, write, write_lines

MARGIN = 48
TILE = 180  # the square that a picture is fitted into
GAP = 8  # between the two pictures of a pair
GUTTER = 40  # between columns
NUMBERS = 268  # the column of numbers
LINE = 24  # from baseline to baseline of the numbers
NUMBERS_END = MARGIN + NUMBERS - 20
CAPTION = 22  # below a tile
REASON_LINES = 3  # below a row
ROW = TILE + CAPTION + 24 + 20 * REASON_LINES + 14
QUERY = 232
HEADER = MARGIN + QUERY + 84
PAIR = 2 * TILE + GAP
MATCH_AT = MARGIN + NUMBERS
FACTUAL_AT = MATCH_AT + TILE + GUTTER
COUNTERFACTUAL_AT = FACTUAL_AT + PAIR + GUTTER
WIDTH = COUNTERFACTUAL_AT + PAIR + MARGIN

PAIR_TILE = 300  # in the figure of one pair
PAIR_ROW = PAIR_TILE + CAPTION + 22
PAIR_HEADER = MARGIN + 148
PAIR_COLUMNS = (MATCH_AT, MATCH_AT + PAIR_TILE + GUTTER, MATCH_AT + 2 * (PAIR_TILE + GUTTER))
PAIR_WIDTH = PAIR_COLUMNS[2] + PAIR_TILE + MARGIN


def search_figure(query: Shown, matches: Sequence[ShownMatch], *, heading: str) -> Image.Image:
    """Return one RGB picture of a search: a row for each match, all heat on one scale.

    `heading` says what was searched.  Raises NothingToDraw without a match.
    """
    if not matches:
        raise NothingToDraw("A figure of a search needs at least one match.")
    canvas = Image.new("RGB", (WIDTH, HEADER + ROW * len(matches) + MARGIN // 2), colours.PAPER)
    _draw_header(canvas, query, heading, matches[0])
    _draw_columns(canvas, captions(matches[0]).headings)
    scale = shared_scale(*(match.evidence for match in matches))
    for row, match in enumerate(matches):
        _draw_row(canvas, HEADER + ROW * row, query, match, scale)
    return canvas


def pair_figure(query: Shown, match: ShownMatch, *, heading: str) -> Image.Image:
    """Return one RGB picture of a pair: both parts of the evidence on both images, on one scale."""
    canvas = Image.new("RGB", (PAIR_WIDTH, PAIR_HEADER + 2 * PAIR_ROW + MARGIN), colours.PAPER)
    draw = ImageDraw.Draw(canvas)
    write(draw, (MARGIN, MARGIN + 26), heading, size=TITLE, width=PAIR_WIDTH - 2 * MARGIN)
    _write_reason(canvas, (MARGIN, MARGIN + 58), match)
    said = captions(match)
    draw_legend(canvas, (MARGIN, PAIR_HEADER + PAIR_ROW), words=said.legend, step=(0, 60))
    for x, words in zip(PAIR_COLUMNS[1:], said.headings, strict=True):
        write(draw, (x, PAIR_HEADER - 14), words, size=BODY, width=PAIR_TILE)
    _draw_numbers(canvas, PAIR_HEADER + 12, match)
    _write_note(canvas, (MATCH_AT, PAIR_HEADER + 2 * PAIR_ROW + 14), said.note)
    scale = shared_scale(match.evidence)
    sides = (query, match.evidence.query), (match.picture, match.evidence.matched)
    for row, (shown, side) in enumerate(sides):
        y = PAIR_HEADER + row * PAIR_ROW
        _paste(canvas, (PAIR_COLUMNS[0], y), tile(shown, PAIR_TILE), shown.name)
        _draw_parts(canvas, y, PAIR_COLUMNS[1:], PAIR_TILE, shown, side, scale)
    return canvas


def _draw_header(canvas: Image.Image, query: Shown, heading: str, match: ShownMatch) -> None:
    draw = ImageDraw.Draw(canvas)
    canvas.paste(tile(query, QUERY), (MARGIN, MARGIN))
    x, room = MARGIN + QUERY + 36, WIDTH - 2 * MARGIN - QUERY - 36
    asked = f"Query ({query.label})" if query.label else "Query"
    write(draw, (x, MARGIN + 14), asked, size=SMALL, fill=colours.MUTED, width=room)
    write(draw, (x, MARGIN + 48), query.name, size=TITLE, width=room)
    write(draw, (x, MARGIN + 80), heading, size=BODY, fill=colours.MUTED, width=room)
    said = captions(match)
    draw_legend(canvas, (x, MARGIN + QUERY - 88), words=said.legend, step=(BAR[0] + GUTTER, 0))
    _write_note(canvas, (x, MARGIN + QUERY - 4), said.note)


def _write_note(canvas: Image.Image, at: tuple[int, int], note: str) -> None:
    room = canvas.width - at[0] - MARGIN
    write(ImageDraw.Draw(canvas), at, note, size=SMALL, fill=colours.MUTED, width=room)


def _write_reason(canvas: Image.Image, at: tuple[int, int], match: ShownMatch) -> None:
    room = canvas.width - at[0] - MARGIN
    write_lines(ImageDraw.Draw(canvas), at, match.reason, size=SMALL, width=room, most=REASON_LINES)


def _draw_columns(canvas: Image.Image, headings: tuple[str, str]) -> None:
    draw, y = ImageDraw.Draw(canvas), HEADER - 34
    draw.line((MARGIN, y - 24, WIDTH - MARGIN, y - 24), fill=colours.RULE)
    for x, words in zip((FACTUAL_AT, COUNTERFACTUAL_AT), headings, strict=True):
        write(draw, (x, y), words, size=BODY, width=PAIR)
        write(draw, (x, y + 22), "on the query", size=SMALL, fill=colours.MUTED)
        write(draw, (x + TILE + GAP, y + 22), "on the match", size=SMALL, fill=colours.MUTED)
    write(draw, (MATCH_AT, y), "Match", size=BODY)


def _draw_row(canvas: Image.Image, y: int, query: Shown, match: ShownMatch, scale: float) -> None:
    _draw_rank(canvas, y, match)
    _draw_numbers(canvas, y + 60, match)
    _paste(canvas, (MATCH_AT, y), tile(match.picture, TILE), match.picture.name)
    sides = (query, match.evidence.query), (match.picture, match.evidence.matched)
    for column, (shown, side) in enumerate(sides):
        x = column * (TILE + GAP)
        _draw_parts(canvas, y, (FACTUAL_AT + x, COUNTERFACTUAL_AT + x), TILE, shown, side, scale)
    _write_reason(canvas, (MATCH_AT, y + TILE + CAPTION + 20), match)


def _draw_parts(
    canvas: Image.Image, y: int, columns: tuple[int, int], size: int, shown: Shown, side: Side, scale: float
) -> None:
    warm = tile(shown, size, scale=scale, factual=side.factual)
    cool = tile(shown, size, scale=scale, counterfactual=side.counterfactual)
    _paste(canvas, (columns[0], y), warm, f"sum {side.factual.sum():.3f}")
    _paste(canvas, (columns[1], y), cool, f"sum {side.counterfactual.sum():.3f}")


def _paste(canvas: Image.Image, at: tuple[int, int], picture: Image.Image, caption: str) -> None:
    canvas.paste(picture, at)
    below = (at[0], at[1] + picture.height + 17)
    write(ImageDraw.Draw(canvas), below, caption, size=SMALL, fill=colours.MUTED, width=picture.width)


def _draw_rank(canvas: Image.Image, y: int, match: ShownMatch) -> None:
    draw = ImageDraw.Draw(canvas)
    write(draw, (MARGIN, y + 26), str(match.rank), size=TITLE, fill=colours.MUTED)
    x = MARGIN + measured(str(match.rank), size=TITLE) + 12
    write(draw, (x, y + 26), match.picture.label or "", size=HEADING, width=NUMBERS_END - x)


def _draw_numbers(canvas: Image.Image, y: int, match: ShownMatch) -> None:
    draw = ImageDraw.Draw(canvas)
    for line, (name, value) in enumerate(_numbers(match)):
        write(draw, (MARGIN, y + LINE * line), name, size=BODY, fill=colours.MUTED)
        write(draw, (NUMBERS_END, y + LINE * line), value, size=BODY, anchor="rs")


def _numbers(match: ShownMatch) -> list[tuple[str, str]]:
    return [
        ("verdict", match.verdict or "none"),
        ("distance", f"{match.distance:.3f}"),
        ("similarity", f"{match.similarity:.3f}"),
        *([] if match.standing is None else [("closer than", str(match.standing))]),
        ("probability same", "none" if match.probability is None else percentage(match.probability)),
        *explained_numbers(match),
        *balance_numbers(match),
    ]
