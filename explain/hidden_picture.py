"""A picture with a region hidden, as the encoder saw it, and the region outlined for people."""

from __future__ import annotations

import numpy as np
from PIL import Image

from explain import colours
from explain.contour import contour
from explain.sights import Mask, Pixels
from siamese.preprocessing import Preprocessing

LEAST_SIDE = 448
"""Pixels of the side below which the square is enlarged, so that people can see what was hidden."""


def hidden_picture(pixels: Pixels, hidden: Mask, preprocessing: Preprocessing) -> Image.Image:
    """Return the square (3, S, S) with its colours back, and a line around what is hidden (S, S)."""
    std = np.asarray(preprocessing.std, np.float32)[:, None, None]
    mean = np.asarray(preprocessing.mean, np.float32)[:, None, None]
    shown = np.clip((pixels * std + mean) * 255, 0, 255).astype(np.uint8).transpose(1, 2, 0)
    side = max(LEAST_SIDE, len(hidden))
    picture = Image.fromarray(shown).resize((side, side), Image.Resampling.BICUBIC)
    region = Image.fromarray(hidden).convert("L").resize((side, side), Image.Resampling.BILINEAR)
    line, halo = contour(np.asarray(region, np.float32) / 255)
    for ink, alpha in ((colours.INK, halo), (colours.PAPER, line)):
        picture.paste(ink, (0, 0), Image.fromarray(alpha))
    return picture
