"""Toy encoders: real checkpoints whose distances are mental arithmetic.

The mean-colour encoder sees a picture as a grid of cells; the local embedding of a cell is its mean
colour, (red, green, blue) in [0, 1], and the embedding is the mean colour of the whole picture made a unit
vector. So pure red is (1, 0, 0), red and blue are √2 apart, and half red, half blue lies at
√(2 − √2) ≈ 0.765 from either.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from siamese import checkpoint
from siamese.bodies import build_body
from siamese.calibration import Calibration
from siamese.encoder import Encoder
from siamese.heads import ClassHead, Heads, HeadsRecord, PairHead
from siamese.network import EncoderNetwork
from siamese.preprocessing import Preprocessing

# The side, in pixels, of one cell of the mean-colour body.
CELL = 8

UNFITTED = Calibration.unfitted("a toy was fitted on no pairs")


def fitted_at(threshold: float, *, slope: float = 10.0) -> Calibration:
    """A calibration whose verdict changes at this distance, where its probability is one half."""
    return Calibration(
        fitted_on="pair",
        intercept=slope * threshold,
        slope=slope,
        threshold=threshold,
        balanced_accuracy=1.0,
        pairs=100,
    )


def mean_colour_checkpoint(
    path: Path,
    *,
    grid: tuple[int, int] = (4, 4),
    fit: str = "crop",
    calibration: Calibration = UNFITTED,
    bias: Sequence[float] = (0.0, 0.0, 0.0),
    name: str = "mean-colour",
    reducing_gap: float = 0.0,
) -> Path:
    """Write the checkpoint of a mean-colour encoder as a folder at this path; the grid is square.

    A bias other than 0 is added to every local embedding, and makes another fingerprint.
    """
    assert grid[0] == grid[1], "the encoder's picture is a square, and so is its grid"
    linear = nn.Linear(3, 3)
    with torch.no_grad():
        linear.weight.copy_(torch.eye(3))
        linear.bias.copy_(torch.tensor(bias))
    network = EncoderNetwork(build_body("mean_colour", weights="none"), linear)
    preprocessing = Preprocessing.model_validate(
        {
            "image_size": CELL * grid[0],
            "fit": fit,
            "mean": (0, 0, 0),
            "std": (1, 1, 1),
            "reducing_gap": reducing_gap,
        }
    )
    record = checkpoint.describe(network, name=name, preprocessing=preprocessing, calibration=calibration)
    checkpoint.save(path, network, record)
    return path


BLUE_PAIRS = PairHead(np.zeros(3, np.float32), np.array([0, 0, 12], np.float32), -3.0)
"""Same is what shares blue: the logit is 12 times the product of both blues, less 3."""


def colour_labels(*, blue: str = "blue") -> ClassHead:
    """Names the strongest colour red, green or, unless told otherwise, blue."""
    return ClassHead(("red", "green", blue), 10 * np.eye(3, dtype=np.float32), np.zeros(3, np.float32))


def put_heads(path: Path, heads: Heads, *, pairs: int = 200, reason: str | None = None) -> Path:
    """Give the checkpoint at this path these heads, in place of what it had."""
    record, network = checkpoint.load_network(path)
    described = HeadsRecord.of(heads, pairs=pairs, reason=reason)
    checkpoint.save(path, network, record.model_copy(update={"heads": described}), heads=heads)
    return path


def mean_colour_encoder(
    tmp_path: Path,
    *,
    grid: tuple[int, int] = (4, 4),
    fit: str = "crop",
    calibration: Calibration = UNFITTED,
    bias: Sequence[float] = (0.0, 0.0, 0.0),
    name: str = "mean-colour",
) -> Encoder:
    """A mean-colour encoder, loaded from a checkpoint that it writes below tmp_path."""
    path = mean_colour_checkpoint(
        tmp_path / f"{name}.checkpoint", grid=grid, fit=fit, calibration=calibration, bias=bias, name=name
    )
    return Encoder.load(path, device="cpu")


def plain(colour: str, *, size: tuple[int, int] = (64, 64)) -> Image.Image:
    """A picture of one colour."""
    return Image.new("RGB", size, colour)


def mosaic(rows: Sequence[Sequence[str]], *, cell: int = CELL) -> Image.Image:
    """A picture of square cells of plain colours, row by row.

    At the default size and as many rows and columns as the toy's grid it is not resized, so the local
    embeddings are exactly these colours.
    """
    picture = Image.new("RGB", (cell * len(rows[0]), cell * len(rows)))
    for i, row in enumerate(rows):
        for j, colour in enumerate(row):
            picture.paste(colour, (j * cell, i * cell, (j + 1) * cell, (i + 1) * cell))
    return picture


def noise(seed: int, *, size: tuple[int, int] = (64, 64)) -> Image.Image:
    """A picture of coloured noise."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    return Image.fromarray(pixels)


def png(picture: Image.Image) -> bytes:
    """The picture as PNG: exactly these pixels."""
    data = BytesIO()
    picture.save(data, "PNG")
    return data.getvalue()


def jpeg(picture: Image.Image, **options: object) -> bytes:
    """The picture as JPEG: nearly these pixels."""
    data = BytesIO()
    picture.save(data, "JPEG", **options)
    return data.getvalue()


def write_folder(root: Path, pictures: dict[str, Image.Image]) -> Path:
    """Write pictures as PNG files below root, named by their relative paths such as "red/1.png"."""
    for relative, picture in pictures.items():
        path = root / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(picture))
    return root
