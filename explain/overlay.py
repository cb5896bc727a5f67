"""Heat laid over its picture: cold shows the picture itself, hot the colour of the part."""

from __future__ import annotations

from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from explain import colours
from explain.contour import contour
from explain.evidence import Grid
from explain.heatmap import paint
from siamese.preprocessing import Placement

RGBA: TypeAlias = NDArray[np.uint8]
Shades: TypeAlias = NDArray[np.uint32]

OPACITY = 0.82  # of full heat: the picture still shows through
RISE = 0.75  # opacity grows with heat to this power, so that little heat can be told from none
# Of a muted picture. With 0.3 of the colour petals, wood and fur that are orange themselves pass for weak
# heat; with 0.45 pink blossoms pass for blue heat, to those who see no green (looked at on 12 photographs).
COLOUR_KEPT, DARKNESS_KEPT = 0.1, 0.7
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
    first = paint(nothing if factual is None else factual, placement, size=size, scale=scale)
    second = None if counterfactual is None else paint(counterfactual, placement, size=size, scale=scale)
    drawn = Image.fromarray(_coloured(first.heat if second is None else first.heat - second.heat))
    for each in (first, second):
        if each is not None:
            _outline(drawn, each.heat)
    return drawn if first.seen.all() else Image.fromarray(_veiled(np.asarray(drawn), first.seen))


def muted(image: Image.Image) -> Image.Image:
    """Return the RGB picture pale and almost grey, so that all colour, and all of it alike, is heat."""
    grey = ImageEnhance.Color(image).enhance(COLOUR_KEPT)
    return grey.point(lambda value: 255 - (255 - value) * DARKNESS_KEPT)


def opacity(heat: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return how opaque heat in [0, 1] is drawn: 0 where it is cold."""
    return OPACITY * heat**RISE


def _coloured(signed: NDArray[np.float32]) -> RGBA:
    """Return the colours (H, W, 4) of heat in [-1, 1]: below 0 the cool ones."""
    steps = np.rint(signed * (colours.STEPS - 1)).astype(np.intp)
    return _as_bytes(_shades().take(steps + colours.STEPS - 1))


@cache
def _shades() -> Shades:
    """Return the colour of each step from full heat of the cool part to that of the warm one."""
    alpha = np.rint(opacity(np.linspace(0, 1, colours.STEPS)) * 255).astype(np.uint8)[:, None]
    warm, cool = (np.hstack([ramp, alpha]) for ramp in (colours.warm(), colours.cool()))
    return _as_shades(np.concatenate([cool[:0:-1], warm]))


def _as_shades(pixels: RGBA) -> Shades:
    """Return bytes (..., 4) as one number each, of which numpy picks many at once."""
    shades: Shades = np.ascontiguousarray(pixels).view(np.uint32)[..., 0]
    return shades


def _as_bytes(shades: Shades) -> RGBA:
    return shades[..., None].view(np.uint8)


def _outline(drawn: Image.Image, heat: NDArray[np.float32]) -> None:
    """Lay the line around the strongest heat over the RGBA picture, on its dark edge."""
    if not heat.any():
        return
    line, halo = contour(heat)
    for colour, alpha, strength in ((colours.INK, halo, HALO), (colours.PAPER, line, LINE)):
        ink = Image.new("RGBA", drawn.size, (*colour, 0))
        ink.putalpha(Image.fromarray(np.rint(alpha * strength).astype(np.uint8)))
        drawn.alpha_composite(ink)


def _veiled(pixels: RGBA, seen: NDArray[np.bool_]) -> RGBA:
    """Cover with a pale, hatched veil what the encoder did not see."""
    down, across = ((np.arange(side) % HATCH_PERIOD).astype(np.uint8) for side in seen.shape)
    hatched = (down[:, None] + across) % HATCH_PERIOD == 0
    opaque = round(VEIL * 255)
    hatch, veil = _as_shades(np.array([(*colours.HATCH, opaque), (*colours.VEIL, opaque)], np.uint8))
    return _as_bytes(np.where(seen, _as_shades(pixels), np.where(hatched, hatch, veil)))
