"""A verdict as it is drawn below pictures: in words and in shapes, and only then in colours."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image, ImageDraw

from explain import colours
from explain.chances import percentage
from explain.evidence import Verdict
from explain.panels import Shown
from explain.typography import BODY, SMALL, measured, write

CHIP = 24  # height of a verdict, pixels
CHIP_PADDING = 10
STROKE = 2
MARK = 14  # side of the tick and the cross
FINENESS = 4  # shapes are drawn this much larger, and then shrunk
TICK = (((0.06, 0.54), (0.38, 0.88), (0.94, 0.14)),)  # strokes, in shares of the mark's side
CROSS = (((0.1, 0.1), (0.9, 0.9)), ((0.1, 0.9), (0.9, 0.1)))


@dataclass(frozen=True, slots=True)
class Judged:
    """What an encoder says of a pair; probability and verdict are None where nothing was fitted."""

    distance: float
    similarity: float
    probability: float | None
    verdict: Verdict | None


@dataclass(frozen=True, slots=True)
class JudgedImage:
    """An image beside the query that it was judged with."""

    picture: Shown
    judged: Judged


@dataclass(frozen=True, slots=True)
class JudgedPair:
    """Two pictures, what was said of them, and whether they are the same, where anybody knows."""

    first: Shown
    second: Shown
    judged: Judged
    same: bool | None

    @property
    def right(self) -> bool | None:
        """Whether the verdict is what the labels say; None where there is no verdict or no label."""
        if self.same is None or self.judged.verdict is None:
            return None
        return (self.judged.verdict == "same") == self.same


def chance(judged: Judged) -> str:
    """Return the probability as it is written, or that there is none."""
    return "none" if judged.probability is None else percentage(judged.probability)


def draw_number(canvas: Image.Image, at: tuple[int, int], name: str, value: str, *, width: int) -> None:
    """Write a name at the left end of a line and its value at the right one."""
    draw = ImageDraw.Draw(canvas)
    write(draw, at, name, size=SMALL, fill=colours.MUTED)
    write(draw, (at[0] + width, at[1]), value, size=BODY, anchor="rs")


def draw_verdict(canvas: Image.Image, at: tuple[int, int], verdict: Verdict | None) -> None:
    """Draw a verdict whose upper left corner is `at`: "same" is filled, "different" is only outlined."""
    words = verdict or "no verdict"
    fill = {"same": colours.SAME, "different": colours.PAPER, None: colours.PAPER}[verdict]
    outline = {"same": colours.SAME, "different": colours.DIFFERENT, None: colours.RULE}[verdict]
    ink = {"same": colours.PAPER, "different": colours.DIFFERENT, None: colours.MUTED}[verdict]
    width = round(measured(words, size=SMALL)) + 2 * CHIP_PADDING
    chip, draw = _magnified(width, CHIP)
    box = (0, 0, chip.width - 1, chip.height - 1)
    draw.rounded_rectangle(box, chip.height // 2, fill=fill, outline=outline, width=STROKE * FINENESS)
    canvas.paste(chip.resize((width, CHIP), Image.Resampling.BOX), at)
    write(ImageDraw.Draw(canvas), (at[0] + CHIP_PADDING, at[1] + 17), words, size=SMALL, fill=ink)


def draw_truth(canvas: Image.Image, at: tuple[int, int], right: bool) -> None:
    """Draw a tick and "right" or a cross and "wrong", their upper right corner at `at`."""
    words, ink = ("right", colours.MUTED) if right else ("wrong", colours.WRONG)
    write(ImageDraw.Draw(canvas), (at[0], at[1] + 17), words, size=SMALL, fill=ink, anchor="rs")
    mark, draw = _magnified(MARK, MARK)
    for stroke in TICK if right else CROSS:
        points = [(x * mark.width, y * mark.height) for x, y in stroke]
        draw.line(points, fill=ink, width=STROKE * FINENESS, joint="curve")
    x = at[0] - round(measured(words, size=SMALL)) - MARK - 6
    canvas.paste(mark.resize((MARK, MARK), Image.Resampling.BOX), (x, at[1] + 5))


def _magnified(width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """Paper to draw finely on: Pillow's own shapes have jagged edges."""
    paper = Image.new("RGB", (width * FINENESS, height * FINENESS), colours.PAPER)
    return paper, ImageDraw.Draw(paper)
