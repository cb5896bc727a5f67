"""Heat laid over its picture: cold shows the picture itself, hot the colour of the part."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from explain import colours
from explain.evidence import Grid, Side
from explain.heatmap import Heatmap, paint
from siamese.preprocessing import Placement

RGBA: TypeAlias = NDArray[np.uint8]

OPACITY = 0.82  # of full heat: the picture still shows through
VEIL = 0.55  # opacity over the margin that the encoder did not see
HATCH = 0.85  # and of the hatching on it
HATCH_PERIOD = 9  # pixels from line to line, along x


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

    Where both parts are given each pixel shows the stronger, by how much it is stronger.
    """
    nothing = np.zeros((1, 1), np.float32)
    warm = paint(nothing if factual is None else factual, placement, size=size, scale=scale)
    cool = paint(nothing if counterfactual is None else counterfactual, placement, size=size, scale=scale)
    signed = warm.heat - cool.heat
    pixels = np.where(
        (signed >= 0)[..., None], _coloured(signed, colours.warm()), _coloured(-signed, colours.cool())
    )
    return Image.fromarray(_veiled(pixels, warm))


def both_parts(image: Image.Image, placement: Placement, side: Side, *, scale: float) -> Image.Image:
    """Return the picture under both parts of its evidence."""
    return overlay(image, placement, scale=scale, factual=side.factual, counterfactual=side.counterfactual)


def _coloured(heat: NDArray[np.float32], ramp: colours.Ramp) -> RGBA:
    heat = np.clip(heat, 0, 1)
    opacity = np.rint(heat * OPACITY * 255).astype(np.uint8)
    return np.dstack([ramp[np.rint(heat * (colours.STEPS - 1)).astype(int)], opacity])


def _veiled(pixels: RGBA, heatmap: Heatmap) -> RGBA:
    """Cover with a hatched grey what the encoder did not see."""
    rows, columns = np.indices(heatmap.seen.shape)
    line = (rows + columns) % HATCH_PERIOD < 1
    opacity = np.where(line, HATCH, VEIL)[..., None] * 255
    veil = np.dstack([np.broadcast_to(np.uint8(colours.UNSEEN), (*line.shape, 3)), opacity.astype(np.uint8)])
    return np.where(heatmap.seen[..., None], pixels, veil)
