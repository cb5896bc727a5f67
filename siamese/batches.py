"""Batches for metric learning: a few images of each of a few labels, so that every image meets its like."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

# A batch of fewer groups than two labels has no different pair.
SMALLEST_BATCH_OF_GROUPS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Images of a step: inputs (B, C) or (B, 3, S, S), seen cells (B, h, w) or None, label numbers (B,)."""

    inputs: Tensor
    seen: Tensor | None
    labels: Tensor
    indices: None = None

    def __len__(self) -> int:
        return len(self.labels)

    def halves(self) -> tuple[Batch, Batch]:
        """Two batches of half the size that still have two labels each, where that can be."""
        middle = len(self) // 2
        front, back = self._of(slice(None, middle)), self._of(slice(middle, None))
        if all(len(torch.unique(half.labels)) > 1 for half in (front, back)):
            return front, back
        return self._of(slice(None, None, 2)), self._of(slice(1, None, 2))

    def to(self, device: torch.device) -> Batch:
        """The same batch on a device."""
        seen = None if self.seen is None else self.seen.to(device)
        return Batch(self.inputs.to(device), seen, self.labels.to(device))

    def _of(self, rows: slice) -> Batch:
        return Batch(self.inputs[rows], None if self.seen is None else self.seen[rows], self.labels[rows])


def batches_of_epoch(
    labels: Sequence[int], *, batch_size: int, images_per_label: int, seed: int, epoch: int
) -> list[list[int]]:
    """Positions of the images of each batch, decided by `seed` and `epoch` alone.

    Images are dealt in groups of `images_per_label` of one label (a last, smaller group is filled up with
    images dealt before), and each label's groups are spread evenly over the epoch. So every image is seen
    once, or a little more, and never twice in a batch; every batch resembles the whole; and labels with few
    images, or few labels, need no special case.
    """
    generator = np.random.default_rng([seed, epoch])
    numbers = np.asarray(labels)
    placed: list[tuple[float, list[int]]] = []
    for label in np.unique(numbers):
        groups = _groups(generator.permutation(np.flatnonzero(numbers == label)), images_per_label)
        offsets = (np.arange(len(groups)) + generator.random(len(groups))) / len(groups)
        placed += zip(offsets.tolist(), groups, strict=True)
    ordered = [group for _, group in sorted(placed)]
    per_batch = max(SMALLEST_BATCH_OF_GROUPS, batch_size // images_per_label)
    return [
        list(dict.fromkeys(itertools.chain.from_iterable(ordered[start : start + per_batch])))
        for start in range(0, len(ordered), per_batch)
    ]


def _groups(positions: np.ndarray, size: int) -> list[list[int]]:
    groups = [positions[start : start + size].tolist() for start in range(0, len(positions), size)]
    missing = min(size, len(positions)) - len(groups[-1])
    groups[-1] += positions[:missing].tolist()
    return groups
