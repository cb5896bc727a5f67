"""The pictures that are trained on: decoded once, shrunk, kept in memory while they fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from siamese.errors import UnreadableImage
from siamese.images import ImageLimits
from siamese.preprocessing import Preprocessing
from siamese.progress import Progress
from siamese.samples import Sample, UnreadableSample, image_of
from siamese.threads import in_threads

Pixels = NDArray[np.uint8]

# Kept a little larger than the encoder's square, so that a random crop of it is still sharp.
SPARE = 1.15
# The ends of a panorama are blurred rather than kept at many times the encoder's square.
LONGEST_SIDE = 4.0
MEMORY_BUDGET = 2**30
READ_AHEAD = 64


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """Readable samples, and the pixels (H, W, 3) of those that fit into memory (None: read from disk)."""

    samples: tuple[Sample, ...]
    pixels: tuple[Pixels | None, ...]
    preprocessing: Preprocessing
    limits: ImageLimits

    def __len__(self) -> int:
        return len(self.samples)

    def picture(self, position: int) -> Image.Image:
        """The shrunk picture, RGB. Raises UnreadableImage where its file has gone or changed meanwhile."""
        kept = self.pixels[position]
        if kept is None:
            kept = _read_shrunk(self.samples[position], self.preprocessing, self.limits)
        return Image.fromarray(kept)


def read_pictures(
    samples: Sequence[Sample],
    *,
    preprocessing: Preprocessing,
    limits: ImageLimits,
    progress: Progress,
    budget: int = MEMORY_BUDGET,
) -> tuple[Pictures, list[UnreadableSample]]:
    """Read every sample once: the readable ones, and the others with the reason.

    `budget` is the memory in bytes that decoded pictures may take; the rest are decoded when asked for.
    """

    def shrunk(sample: Sample) -> Pixels | UnreadableSample:
        try:
            return _read_shrunk(sample, preprocessing, limits)
        except UnreadableImage as error:
            return UnreadableSample(sample, error.reason)

    readable: list[Sample] = []
    pixels: list[Pixels | None] = []
    unreadable: list[UnreadableSample] = []
    results = in_threads(shrunk, samples, ahead=READ_AHEAD)
    for result in progress.track(results, description="reading", total=len(samples)):
        if isinstance(result, UnreadableSample):
            unreadable.append(result)
            continue
        readable.append(samples[len(readable) + len(unreadable)])
        budget -= result.nbytes
        pixels.append(result if budget >= 0 else None)
    return Pictures(tuple(readable), tuple(pixels), preprocessing, limits), unreadable


def _read_shrunk(sample: Sample, preprocessing: Preprocessing, limits: ImageLimits) -> Pixels:
    picture = image_of(sample, preprocessing, limits=limits)
    size = _kept_size(picture.width, picture.height, preprocessing)
    return np.asarray(picture.resized(size, Image.Resampling.BILINEAR, reducing_gap=2.0))


def _kept_size(width: int, height: int, preprocessing: Preprocessing) -> tuple[int, int]:
    side = preprocessing.image_size * SPARE
    short, long = sorted((width, height))
    scale = min(side / (short if preprocessing.fit == "crop" else long), LONGEST_SIDE * side / long)
    return max(1, round(width * scale)), max(1, round(height * scale))
