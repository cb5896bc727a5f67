"""A linear layer without labels: fitted to the pooled features of the gallery itself.

A gallery of at least 3·D different images gets PCA with partial whitening. In a smaller one the variances
would be noise, so the layer only shortens the features: it keeps the directions of the gallery's own
images and, as far as D reaches, a seeded random projection of everything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from siamese import checkpoint
from siamese.calibration import Calibration
from siamese.encoder import RAW, Encoder
from siamese.errors import UnusableData
from siamese.network import EncoderNetwork
from siamese.preparing import Prepared
from siamese.preprocessing import Preprocessing

DIMENSION = 128
# The exponent of whitening: 0 is plain PCA, 1 makes all directions equal. On 2,640 grocery photos (D = 128,
# MobileNetV2) R@1 was 96.0, 96.6, 96.8, 96.9 for 0, 0.25, 0.5, 1, and 56.1, 55.7, 56.8, 52.7 on 296 others.
POWER = 0.5
# PCA needs this many different images per direction; below it, the fallback was as good or better.
IMAGES_PER_DIRECTION = 3
# More images than this move the directions no more; it also bounds the memory (20,000 × 1,280: 100 MB).
SAMPLE = 20_000
# Directions with less than this share of the greatest variance are rounding errors.
RANK_TOLERANCE = 1e-6

BATCH = 32


@dataclass(frozen=True, slots=True, eq=False)
class FittedLinear:
    """A linear layer e = W x + b: weight (D, C), bias (D,), float32, and how it was made.

    `explained` is the share of the variance (of the squared lengths, for the fallback) that it keeps;
    `images` counts the different ones.
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    method: str
    images: int
    explained: float

    def __post_init__(self) -> None:
        if self.bias.shape != self.weight.shape[:1] or not np.isfinite(self.weight).all():
            raise ValueError(f"a layer of {self.weight.shape} and {self.bias.shape} is none")


def fit_linear(features: NDArray[np.float32], *, dimension: int = DIMENSION, seed: int = 0) -> FittedLinear:
    """Fit the layer to pooled features (n, C), n ≥ 1; `seed` draws the fallback's random directions.

    D is `dimension`, or less where the features have fewer directions. Raises UnusableData.
    """
    if not len(features) or not np.isfinite(features).all() or not features.any():
        raise UnusableData("an encoder cannot be fitted to a gallery without any usable image")
    images = len({row.tobytes() for row in np.ascontiguousarray(features)})
    dimension = min(dimension, features.shape[1])
    if images >= IMAGES_PER_DIRECTION * dimension:
        return _pca(features, dimension, images)
    return _own_directions(features, dimension, images, np.random.default_rng(seed))


def fit_to_gallery(
    raw: Encoder, images: Iterable[Prepared], *, out: Path, dimension: int = DIMENSION, seed: int = 0
) -> Encoder:
    """Fit a linear layer for `raw`, an encoder of raw pooled features, and write the checkpoint to `out`.

    images: prepared by `raw`, read once, the first SAMPLE of them; give more than that in random order.
    Raises UnusableData, CheckpointError and what embedding raises.
    """
    fitted = fit_linear(_pooled(raw, islice(images, SAMPLE)), dimension=dimension, seed=seed)
    network = EncoderNetwork(raw.network.body, _layer(fitted)).to(raw.device).eval()
    record = checkpoint.describe(
        network,
        name=f"{raw.name.removesuffix(RAW)}-{fitted.method}{len(fitted.bias)}{_fit(raw.preprocessing)}",
        preprocessing=raw.preprocessing,
        calibration=Calibration.unfitted("no labels were used to fit this encoder"),
        whitening={
            "method": fitted.method,
            "power": POWER if fitted.method == "pca" else 0.0,
            "images": fitted.images,
            "explained": fitted.explained,
            "seed": seed,
        },
    )
    checkpoint.save(out, network, record)
    return Encoder.load(out, device=raw.device)


def _pooled(raw: Encoder, images: Iterator[Prepared]) -> NDArray[np.float32]:
    """The pooled features of the images: (n, C)."""
    batches = iter(lambda: list(islice(images, BATCH)), [])
    pooled = [raw.local_embeddings(batch).mean(axis=(1, 2)) for batch in batches]
    return np.concatenate(pooled) if pooled else np.empty((0, raw.dimension), np.float32)


def _fit(preprocessing: Preprocessing) -> str:
    """The end of a name: one that pads is another encoder than one that crops, which is the usual one."""
    return "" if preprocessing.fit == "crop" else f"-{preprocessing.fit}"


def _layer(fitted: FittedLinear) -> nn.Linear:
    linear = nn.Linear(fitted.weight.shape[1], fitted.weight.shape[0])
    with torch.no_grad():
        linear.weight.copy_(torch.from_numpy(fitted.weight))
        linear.bias.copy_(torch.from_numpy(fitted.bias))
    return linear


def _pca(features: NDArray[np.float32], dimension: int, images: int) -> FittedLinear:
    """Directions of greatest variance about the mean, each divided by its variance ** (POWER / 2)."""
    mean = features.mean(axis=0, dtype=np.float64)
    centred = features - mean
    variances, directions = np.linalg.eigh(centred.T @ centred / len(features))
    order = np.argsort(variances)[::-1][:dimension]
    order = order[variances[order] > RANK_TOLERANCE * variances[order[0]]]
    weight = directions[:, order].T * variances[order, None] ** (-POWER / 2)
    return FittedLinear(
        weight.astype(np.float32),
        (-weight @ mean).astype(np.float32),
        "pca",
        images,
        float(variances[order].sum() / variances.sum()),
    )


def _own_directions(
    features: NDArray[np.float32], dimension: int, images: int, generator: np.random.Generator
) -> FittedLinear:
    """The directions that the gallery's images span, and a random projection of the rest of the space.

    The random part is scaled so that lengths are kept in expectation. With up to D different images
    all products with an image of the gallery are exactly those of the raw features, and so is the ranking.
    """
    wide = features.astype(np.float64)
    _, lengths, directions = np.linalg.svd(wide, full_matrices=False)
    own = directions[:dimension][lengths[:dimension] > RANK_TOLERANCE * lengths[0]]
    channels, missing = wide.shape[1], dimension - len(own)
    others = generator.standard_normal((channels, missing))
    others = np.linalg.qr(others - own.T @ (own @ others))[0]
    scale = np.sqrt((channels - len(own)) / missing) if missing else 1.0
    weight = np.concatenate([own, others.T * scale])
    explained = float((lengths[: len(own)] ** 2).sum() / (lengths**2).sum())
    return FittedLinear(
        weight.astype(np.float32), np.zeros(dimension, np.float32), "projection", images, explained
    )
