"""From an image to what an encoder takes; loads no torch, so that decoding processes stay light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from siamese.detail import cell_detail
from siamese.preprocessing import Preprocessing
from siamese.scaled_image import AnyImage


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """An image as the encoder takes it: tensor (3, S, S) float32 normalised; seen (h, w) bool.

    `detail` (h, w) uint8 is what `cell_detail` says of it; None where nobody will be shown its evidence.
    """

    tensor: NDArray[np.float32]
    seen: NDArray[np.bool_]
    detail: NDArray[np.uint8] | None = None


def prepare(image: AnyImage, preprocessing: Preprocessing, grid: tuple[int, int]) -> Prepared:
    """The image as an encoder of this preprocessing and grid takes it; made for many threads."""
    seen = preprocessing.seen_cells(*image.size, grid)
    tensor = preprocessing.preprocess(image)
    return Prepared(tensor, seen, cell_detail(tensor, seen, size=image.size, preprocessing=preprocessing))
