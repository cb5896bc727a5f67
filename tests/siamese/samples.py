"""Samples made up for the tests of learning: some only in name, some with pictures on disk."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from PIL import Image

from siamese.samples import Sample
from siamese.units import Ties, TiesFinder
from tests.toys import png

COLOURS = {"blue": (40, 60, 200), "green": (40, 180, 60), "red": (200, 50, 40), "yellow": (210, 200, 40)}


def named(uri: str, *, content: str | None = None) -> Sample:
    """A sample without a file: its label is its folder, its content is itself unless it repeats another's."""
    checksum = hashlib.sha256((content or uri).encode()).hexdigest()
    return Sample(Path("/nowhere") / uri, uri, uri.split("/", maxsplit=1)[0], checksum)


def folders(counts: dict[str, int]) -> list[Sample]:
    """So many samples without a file for each label."""
    return [named(f"{label}/{number:03d}.png") for label, count in counts.items() for number in range(count)]


def finding(ties: Ties) -> TiesFinder:
    """Finds these ties, whatever it is asked about."""
    near, groups = ties.near_duplicates, ties.groups
    return TiesFinder(
        near_duplicates=None if near is None else lambda _: near,
        groups=None if groups is None else lambda _: groups,
    )


def written(root: Path, *, per_label: int, size: int = 20, labels: int = 4, seed: int = 0) -> list[Sample]:
    """Noisy pictures of a colour for each label, which a tiny network learns to tell apart at once."""
    generator = np.random.default_rng(seed)
    samples = []
    for label, colour in list(COLOURS.items())[:labels]:
        for number in range(per_label):
            pixels = np.array(colour) + generator.normal(0, 50, (size, size, 3))
            picture = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
            samples.append(write(root, f"{label}/{number:02d}.png", png(picture)))
    return samples


def write(root: Path, uri: str, data: bytes) -> Sample:
    """A sample with these bytes."""
    path = root / uri
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return Sample(path, uri, path.parent.name, hashlib.sha256(data).hexdigest())
