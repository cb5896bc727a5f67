"""The line around the strongest heat: it tells heat from a subject that has heat's own colour."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Alpha = NDArray[np.uint8]

LEVEL = 0.5  # of full heat: a pale map, which is a weak reason, gets no line
THINNEST, SIDES_PER_LINE = 1, 240  # the line is a 240th of the picture's longer side, at least a pixel
HALO = 3  # the dark edge that keeps the line legible on light ground is this many times as wide


def contour(heat: NDArray[np.floating]) -> tuple[Alpha, Alpha]:
    """Return the opacity (H, W) of the line around where heat (H, W) is at least LEVEL, and of its halo.

    Where the region reaches the picture's edge the line runs out of the picture, not along it.
    """
    width = max(THINNEST, round(max(heat.shape) / SIDES_PER_LINE))
    margin = HALO * width + 1
    hot = np.pad((heat >= LEVEL).astype(np.uint8), margin, mode="edge")
    return _line(hot, width, margin), _line(hot, HALO * width, margin)


def _line(hot: Alpha, width: int, margin: int) -> Alpha:
    line = np.zeros(hot.shape, np.uint8)
    outlines, _ = cv2.findContours(hot, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(line, outlines, -1, color=255, thickness=width, lineType=cv2.LINE_AA)
    return line[margin:-margin, margin:-margin]
