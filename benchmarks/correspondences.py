"""Which cells of two pictures answer each other: criteria against views whose true answer is known.

    python benchmarks/correspondences.py CHECKPOINT FOLDER [--pictures 25] [--seed 0]

Every picture is compared with its mirror image, where cell (i, j) belongs to (i, w - 1 - j), and with a
part of itself, where it belongs to the cell under its middle. Mutual best pairs are found by what two
cells add to the cosine, by the cosine of the two, by the cosine weighted by the root of their norms, and by
the cosine of what sets each apart from its image's mean; printed are how many there are, and how many of
them lie at most a cell from the truth.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from gallery.sources.scanning import scan
from siamese.encoder import Encoder
from siamese.images import ImageLimits, decode, read

SIDE = 448  # pixels of the square that the views are cut from
PART = (64, 0, 448, 384)  # of it, left, top, right, bottom: shifted and enlarged
NEAR = 1.0  # cells between an answer and the truth
ADDING = 1e-9

Floats = NDArray[np.float64]
Truth = Callable[[int, int, int, int], tuple[float, float]]


def criteria(query: Floats, matched: Floats) -> dict[str, Floats]:
    """Return how alike the cells (n, D) and (m, D) are, (n, m), by each criterion."""
    adding = query @ matched.T
    norms = np.outer(np.linalg.norm(query, axis=1), np.linalg.norm(matched, axis=1)) + ADDING
    cosines = adding / norms
    first, second = query - query.mean(axis=0), matched - matched.mean(axis=0)
    apart = np.outer(np.linalg.norm(first, axis=1), np.linalg.norm(second, axis=1)) + ADDING
    return {
        "contribution": adding,
        "cosine": cosines,
        "cosine by norms": cosines * np.sqrt(norms),
        "centred cosine": first @ second.T / apart,
    }


def mutual(alike: Floats, adding: Floats) -> list[tuple[int, int]]:
    """Return the cells that are each other's best and add to the cosine."""
    best, asked = alike.argmax(axis=1), alike.argmax(axis=0)
    return [
        (cell, int(best[cell]))
        for cell in range(len(best))
        if asked[best[cell]] == cell and adding[cell, best[cell]] > 0
    ]


def mirrored(row: int, column: int, rows: int, columns: int) -> tuple[float, float]:
    """Return where a cell lies in the mirror image."""
    return row, columns - 1 - column


def cut(row: int, column: int, rows: int, columns: int) -> tuple[float, float]:
    """Return where the middle of a cell lies in the part, in its cells."""
    left, top, right, bottom = PART
    y, x = (row + 0.5) * SIDE / rows, (column + 0.5) * SIDE / columns
    return (y - top) / (bottom - top) * rows - 0.5, (x - left) / (right - left) * columns - 0.5


VIEWS: dict[str, tuple[Callable[[Image.Image], Image.Image], Truth]] = {
    "mirrored": (ImageOps.mirror, mirrored),
    "part": (lambda image: image.crop(PART), cut),
}


def measured(encoder: Encoder, images: list[Image.Image], view: str) -> Iterator[tuple[str, float, float]]:
    """Yield for each criterion how many mutual pairs a picture has, and the share near the truth."""
    seen, truth = VIEWS[view]
    locals_of = [
        encoder.local_embeddings([encoder.prepare(image) for image in each])
        for each in (images, [seen(image) for image in images])
    ]
    found: dict[str, list[tuple[int, int]]] = {}
    for query, matched in zip(*locals_of, strict=True):
        rows, columns, dimension = query.shape
        cells = [local.reshape(-1, dimension).astype(np.float64) for local in (query, matched)]
        every = criteria(*cells)
        for name, alike in every.items():
            pairs = mutual(alike, every["contribution"])
            near = sum(_near(pair, truth, rows, columns) for pair in pairs)
            found.setdefault(name, []).append((len(pairs), near))
    for name, counts in found.items():
        pairs, near = np.sum(counts, axis=0)
        yield name, pairs / len(images), near / max(pairs, 1)


def _near(pair: tuple[int, int], truth: Truth, rows: int, columns: int) -> bool:
    row, column = divmod(pair[1], columns)
    y, x = truth(*divmod(pair[0], columns), rows, columns)
    return float(np.hypot(row - y, column - x)) <= NEAR


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=int, default=25)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    files = list(scan([options.folder]))
    random.Random(options.seed).shuffle(files)
    limits = ImageLimits()
    images = [
        ImageOps.fit(decode(read(file.path, limits=limits), limits=limits), (SIDE, SIDE))
        for file in files[: options.pictures]
    ]
    encoder = Encoder.load(options.checkpoint)
    print(f"{'view':10}{'criterion':18}{'pairs a picture':>16}{'within a cell':>15}")
    for view in VIEWS:
        for name, pairs, near in measured(encoder, images, view):
            print(f"{view:10}{name:18}{pairs:16.1f}{near:15.0%}")


if __name__ == "__main__":
    main()
