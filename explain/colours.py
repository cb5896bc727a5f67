"""Two hues for heat: warm for what supports the verdict, cool for what speaks against it.

Both ramps are straight lines in Oklab (Ottosson 2020), so that equal steps of heat look like equal steps, and
both run from the same dark to the same light, so that equal heat looks equally strong.  Orange and blue stay
apart in every common colour blindness.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Ramp = NDArray[np.uint8]
RGB = tuple[int, int, int]

STEPS = 256
# (lightness, chroma, hue in degrees) in OkLCh, from cold to hot
WARM_ENDS = ((0.52, 0.17, 33.0), (0.80, 0.165, 70.0))
COOL_ENDS = ((0.52, 0.17, 266.0), (0.80, 0.115, 228.0))

INK: RGB = (28, 30, 34)
MUTED: RGB = (112, 117, 125)
RULE: RGB = (226, 229, 233)
PAPER: RGB = (255, 255, 255)
MOUNT: RGB = (244, 245, 247)
VEIL: RGB = (236, 238, 241)
HATCH: RGB = (146, 151, 159)
SAME: RGB = (0, 104, 132)
DIFFERENT: RGB = (74, 78, 86)
WRONG: RGB = (196, 60, 12)


@cache
def warm() -> Ramp:
    """Return (256, 3) RGB from cold to hot, for the factual part."""
    return _ramp(*WARM_ENDS)


@cache
def cool() -> Ramp:
    """Return (256, 3) RGB from cold to hot, for the counterfactual part."""
    return _ramp(*COOL_ENDS)


def _ramp(cold: tuple[float, float, float], hot: tuple[float, float, float]) -> Ramp:
    steps = np.linspace(0.0, 1.0, STEPS)[:, None]
    ramp = _to_rgb(_oklab(*cold) * (1 - steps) + _oklab(*hot) * steps)
    ramp.setflags(write=False)
    return ramp


def _oklab(lightness: float, chroma: float, hue: float) -> NDArray[np.float64]:
    angle = np.deg2rad(hue)
    return np.array([lightness, chroma * np.cos(angle), chroma * np.sin(angle)])


def _to_rgb(oklab: NDArray[np.float64]) -> Ramp:
    """Convert (n, 3) Oklab to sRGB bytes (https://bottosson.github.io/posts/oklab)."""
    to_lms = [
        [1, 0.3963377774, 0.2158037573],
        [1, -0.1055613458, -0.0638541728],
        [1, -0.0894841775, -1.2914855480],
    ]
    to_linear = [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
    linear = np.clip((oklab @ np.array(to_lms).T) ** 3 @ np.array(to_linear).T, 0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    rgb: Ramp = np.rint(encoded * 255).astype(np.uint8)
    return rgb
