"""The pieces of a figure: a picture in its square, with or without heat, and the legend of the heat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from explain import colours
from explain.contour import HALO, LEVEL
from explain.errors import NothingToDraw
from explain.evidence import Evidence, Grid, Verdict
from explain.overlay import muted, opacity, overlay
from explain.standings import Standing
from explain.typography import SMALL, write
from siamese.preprocessing import Placement

LEAST_WHOLE_FACTOR = 4  # a picture enlarged this much is enlarged by whole pixels, so that they stay crisp
BAR = (190, 14)  # of the legend, pixels
WORDS = 206  # the room below it for what it means
LINE = 2  # pixels, in the legend


@dataclass(frozen=True, slots=True)
class Shown:
    """An upright RGB picture (or its thumbnail), where the encoder's square lies in it, and its name."""

    image: Image.Image
    placement: Placement
    name: str
    label: str | None = None

    def __post_init__(self) -> None:
        if 0 in self.image.size:
            raise NothingToDraw(f"{self.name} has no pixels.")


@dataclass(frozen=True, slots=True)
class ShownMatch:
    """A match as it is shown: its picture, its numbers and its evidence.

    `explains_verdict` says whether the verdict, if any, is made by the number that the evidence explains;
    `reason` is why in words, and what to doubt. `standing` is where the pair stands in its gallery, where
    that is known.
    """

    picture: Shown
    rank: int
    distance: float
    similarity: float
    probability: float | None
    verdict: Verdict | None
    evidence: Evidence
    explains_verdict: bool = True
    reason: str = ""
    standing: Standing | None = None


def tile(
    shown: Shown,
    side: int,
    *,
    scale: float = 0.0,
    factual: Grid | None = None,
    counterfactual: Grid | None = None,
) -> Image.Image:
    """Return a square RGB tile with the whole picture in its middle; muted, and under heat, if given any."""
    picture = _enlarged(shown.image, side)
    if factual is not None or counterfactual is not None:
        picture = overlay(
            muted(picture), shown.placement, scale=scale, factual=factual, counterfactual=counterfactual
        )
    return _mounted(picture, shown, side)


def veiled_tile(shown: Shown, side: int) -> Image.Image:
    """Return the tile of a picture in its own colours, what the encoder did not see of it under the veil."""
    return _mounted(overlay(_enlarged(shown.image, side), shown.placement, scale=0.0), shown, side)


def picture_box(shown: Shown, side: int) -> tuple[int, int, int, int]:
    """Return where the picture lies in its tile: left, top, right, bottom in pixels."""
    width, height = _fitted(shown.image.size, side)
    left, top = (side - width) // 2, (side - height) // 2
    return left, top, left + width, top + height


def draw_legend(
    canvas: Image.Image, at: tuple[int, int], *, words: tuple[str, str], step: tuple[int, int]
) -> None:
    """Draw what the colours, the line and the hatching mean: swatches over words, each a `step` further.

    `words` are those of the factual and the counterfactual heat.
    """
    entries = (
        (_bar(colours.warm()), words[0]),
        (_bar(colours.cool()), words[1]),
        (_lined(), "line: where heat passes half"),
        (_hatched(), "not seen by the encoder (cut)"),
    )
    for place, (swatch, meaning) in enumerate(entries):
        x, y = at[0] + place * step[0], at[1] + place * step[1]
        canvas.paste(swatch, (x, y))
        below = (x, y + BAR[1] + 20)
        write(ImageDraw.Draw(canvas), below, meaning, size=SMALL, fill=colours.MUTED, width=WORDS)


def _mounted(picture: Image.Image, shown: Shown, side: int) -> Image.Image:
    square = Image.new("RGB", (side, side), colours.MOUNT)
    square.paste(picture, picture_box(shown, side)[:2])
    return square


def _enlarged(image: Image.Image, side: int) -> Image.Image:
    size = _fitted(image.size, side)
    whole = side / max(image.size) >= LEAST_WHOLE_FACTOR
    return image.resize(size, Image.Resampling.NEAREST if whole else Image.Resampling.LANCZOS)


def _fitted(size: tuple[int, int], side: int) -> tuple[int, int]:
    """The size of a picture in its tile."""
    factor = side / max(size)
    if factor >= LEAST_WHOLE_FACTOR:
        return size[0] * int(factor), size[1] * int(factor)
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def _bar(ramp: colours.Ramp) -> Image.Image:
    """A ramp as it looks on paper: from nothing to full heat."""
    heat = np.linspace(0, 1, BAR[0])
    alpha = opacity(heat)[:, None]
    line = ramp[np.rint(heat * (colours.STEPS - 1)).astype(int)] * alpha + 255 * (1 - alpha)
    return Image.fromarray(np.broadcast_to(line.astype(np.uint8), (BAR[1], BAR[0], 3)).copy())


def _lined() -> Image.Image:
    """A ramp with the line where it runs on a picture."""
    bar, x = _bar(colours.warm()), round(LEVEL * BAR[0])
    for fill, width in ((colours.INK, HALO * LINE), (colours.PAPER, LINE)):
        ImageDraw.Draw(bar).line((x, 0, x, BAR[1]), fill=fill, width=width)
    return bar


def _hatched() -> Image.Image:
    beyond = Placement(1, 1, (1.0, 0.0, 2.0, 1.0))
    return overlay(Image.new("RGB", BAR, colours.PAPER), beyond, scale=0.0)
