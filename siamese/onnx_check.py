"""How far ONNX Runtime is from PyTorch: measured on pictures, and held to a bound before it is used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from siamese.encoder import Encoder
from siamese.errors import RuntimeDiffers
from siamese.onnx_graph import OnnxSession
from siamese.scaled_image import AnyImage

# What one number may differ by; docs/decisions/0011 has what it does differ by.
BOUND = 1e-4
SEED = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """The most that one number differs from PyTorch's over some images.

    Local embeddings may be of any length, so theirs is divided by the length of the image's mean local
    embedding where that is greater than 1; an embedding has the length 1.
    """

    local_embeddings: float
    embedding: float
    images: int

    def require_small(self) -> Difference:
        """This, if both are within BOUND. Raises RuntimeDiffers."""
        largest = float(np.max([self.local_embeddings, self.embedding]))
        if not largest <= BOUND:  # nor is a NaN
            raise RuntimeDiffers(
                f"ONNX Runtime differs from PyTorch by {largest:.1e} where at most {BOUND:.0e} is allowed: "
                "use --runtime torch for this encoder"
            )
        return self


def difference(encoder: Encoder, session: OnnxSession, images: Sequence[AnyImage]) -> Difference:
    """How far the session of an encoder's graph is from the encoder, which PyTorch computes."""
    prepared = [encoder.prepare(image) for image in images]
    expected = encoder.local_embeddings(prepared)
    pixels, seen = (np.stack([getattr(each, name) for each in prepared]) for name in ("tensor", "seen"))
    local = session.local_embeddings(pixels, seen)
    mean = expected.mean(axis=(1, 2), dtype=np.float64)
    length = np.linalg.norm(mean, axis=1)
    of_local = _largest(local, expected) / np.maximum(1, length)
    unit = mean / np.maximum(length, np.finfo(np.float32).tiny)[:, None]
    of_embedding = _largest(session.embeddings(pixels, seen), unit)
    return Difference(float(of_local.max()), float(of_embedding.max()), len(images))


def probes(size: int) -> list[Image.Image]:
    """Pictures that no one has to have: noise fine and coarse, and slopes of colour, in three shapes."""
    generator = np.random.default_rng(SEED)
    wide, tall, square = (2 * size, size), (size, 2 * size), (size, size)
    noise = [generator.integers(0, 256, (each, each, 3), np.uint8) for each in (size, 12, 5)]
    across = np.linspace(0, 255, size, dtype=np.uint8)
    slopes = np.stack([*np.meshgrid(across, across), np.full((size, size), 128, np.uint8)], axis=-1)
    pictures = [Image.fromarray(pixels) for pixels in (*noise, slopes)]
    shapes = (square, wide, tall, square)
    return [
        each.resize(shape, Image.Resampling.BICUBIC) for each, shape in zip(pictures, shapes, strict=True)
    ]


def _largest(one: NDArray[np.floating], other: NDArray[np.floating]) -> NDArray[np.floating]:
    """The largest difference of one number, for each image."""
    return np.asarray(np.abs(one - other).reshape(len(one), -1).max(axis=1))
