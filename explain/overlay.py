"""Heat laid over its picture: cold shows the picture itself, hot the colour of the part."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from explain import colours
from explain.contour import contour
from explain.evidence import Grid
from explain.heatmap import Heatmap, paint
from siamese.preprocessing import Placement

RGBA: TypeAlias = NDArray[np.uint8]

OPACITY = 0.82  # of full heat: the picture still shows through
RISE = 0.75  # opacity grows with heat to this power, so that little heat can be told from none
COLOUR_KEPT, DARKNESS_KEPT = 0.1, 0.7  # of a muted picture
LINE, HALO = 0.95, 0.35  # opacity of the line around the strongest heat, and of its dark edge
VEIL = 0.62  # opacity over the margin that the encoder did not see
HATCH_PERIOD = 8  # pixels from line to line of the hatching on it, along x


def overlay(
    image: Image.Image,
    placement: Placement,
    *,
    scale: float,
    factual: Grid | None = None,
    counterfactual: Grid | None = None,
) -> Image.Image:
    """Return the picture, RGB in its own size, under the heat of one part or of both.

    `image` is the upright picture that `placement` speaks of, in any size; see `layer`.
    """
    heat = layer(image.size, placement, scale=scale, factual=factual, counterfactual=counterfactual)
    return laid_over(image, heat)


def laid_over(image: Image.Image, heat: Image.Image) -> Image.Image:
    """Return the picture, RGB, under a layer of its size."""
    return Image.alpha_composite(image.convert("RGBA"), heat).convert("RGB")


def layer(
    size: tuple[int, int],
    placement: Placement,
    *,
    scale: float,
    factual: Grid | None = None,
    counterfactual: Grid | None = None,
) -> Image.Image:
    """Return the heat alone, RGBA on transparent, (width, height) = `size`.

    Where both parts are given each pixel shows the stronger, by how much it is stronger. A line runs around
    the strongest heat of each.
    """
    nothing = np.zeros((1, 1), np.float32)
    warm = paint(nothing if factual is None else factual, placement, size=size, scale=scale)
    cool = paint(nothing if counterfactual is None else counterfactual, placement, size=size, scale=scale)
    signed = warm.heat - cool.heat
    pixels = np.where(
        (signed >= 0)[..., None], _coloured(signed, colours.warm()), _coloured(-signed, colours.cool())
    )
    drawn = Image.fromarray(pixels)
    for heat in (warm.heat, cool.heat):
        _outline(drawn, heat)
    return Image.fromarray(_veiled(np.asarray(drawn), warm))


def muted(image: Image.Image) -> Image.Image:
    """Return the RGB picture pale and almost grey, so that all colour, and all of it alike, is heat."""
    grey = ImageEnhance.Color(image).enhance(COLOUR_KEPT)
    return grey.point(lambda value: 255 - (255 - value) * DARKNESS_KEPT)


def opacity(heat: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return how opaque heat in [0, 1] is drawn: 0 where it is cold."""
    return OPACITY * heat**RISE


def _coloured(heat: NDArray[np.float32], ramp: colours.Ramp) -> RGBA:
    heat = np.clip(heat, 0, 1)
    alpha = np.rint(opacity(heat) * 255).astype(np.uint8)
    return np.dstack([ramp[np.rint(heat * (colours.STEPS - 1)).astype(int)], alpha])


def _outline(drawn: Image.Image, heat: NDArray[np.float32]) -> None:
    """Lay the line around the strongest heat over the RGBA picture, on its dark edge."""
    if not heat.any():
        return
    line, halo = contour(heat)
    for colour, alpha, strength in ((colours.INK, halo, HALO), (colours.PAPER, line, LINE)):
        ink = Image.new("RGBA", drawn.size, (*colour, 0))
        ink.putalpha(Image.fromarray(np.rint(alpha * strength).astype(np.uint8)))
        drawn.alpha_composite(ink)


def _veiled(pixels: RGBA, heatmap: Heatmap) -> RGBA:
    """Cover with a pale, hatched veil what the encoder did not see."""
    rows, columns = np.indices(heatmap.seen.shape)
    hatched = ((rows + columns) % HATCH_PERIOD == 0)[..., None]
    veil = np.where(hatched, np.array(colours.HATCH, np.uint8), np.array(colours.VEIL, np.uint8))
    alpha = np.full((*heatmap.seen.shape, 1), round(VEIL * 255), np.uint8)
    return np.where(heatmap.seen[..., None], pixels, np.dstack([veil, alpha]))
