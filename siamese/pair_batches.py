"""Batches for learning from pairs: images, and which of them were judged same or different."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from siamese.pairs import Pairs

# A batch of one pair shows only one kind.
SMALLEST_BATCH_OF_PAIRS = 2


@dataclass(frozen=True, slots=True, eq=False)
class PairBatch:
    """Images of a step, and pairs of their rows.

    inputs (B, C) or (B, 3, S, S), seen cells (B, h, w) or None; each image is in a pair, and in any number.
    """

    inputs: Tensor
    seen: Tensor | None
    pairs: Pairs
    labels: None = None

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def indices(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """First and second rows of the same pairs, then of the different ones; neither image comes first."""
        first = np.concatenate([self.pairs.queries, self.pairs.references])
        second = np.concatenate([self.pairs.references, self.pairs.queries])
        same = np.concatenate([self.pairs.same, self.pairs.same])
        ends = (first[same], second[same], first[~same], second[~same])
        alike, like, unlike, other = (torch.from_numpy(rows).to(self.inputs.device) for rows in ends)
        return alike, like, unlike, other

    def halves(self) -> tuple[PairBatch, PairBatch]:
        """Two batches of every other pair of each kind; an image with pairs in both is in both."""
        order = np.argsort(self.pairs.same, kind="stable")
        return self._of(order[::2]), self._of(order[1::2])

    def to(self, device: torch.device) -> PairBatch:
        """The same batch on a device."""
        seen = None if self.seen is None else self.seen.to(device)
        return PairBatch(self.inputs.to(device), seen, self.pairs)

    def _of(self, which: NDArray[np.int64]) -> PairBatch:
        pairs = self.pairs.chosen(which)
        rows = images_of(pairs)
        seen = None if self.seen is None else self.seen[rows]
        return PairBatch(self.inputs[rows], seen, among(rows, pairs))


def images_of(pairs: Pairs) -> list[int]:
    """The positions of all images that a pair is of, each once, rising."""
    rows: list[int] = np.unique(np.concatenate([pairs.queries, pairs.references])).tolist()
    return rows


def among(images: Sequence[int], pairs: Pairs) -> Pairs:
    """The pairs by the positions of their images among these, which rise."""
    return Pairs(
        np.searchsorted(images, pairs.queries), np.searchsorted(images, pairs.references), pairs.same
    )


def pair_batches_of_epoch(
    same: NDArray[np.bool_], *, batch_size: int, seed: int, epoch: int
) -> list[list[int]]:
    """Positions of the pairs of each batch, decided by `seed` and `epoch` alone.

    Each pair is there once, and those of either kind are spread evenly, so that every batch resembles the
    whole; a batch has at most `batch_size` images.
    """
    generator = np.random.default_rng([seed, epoch])
    when = np.empty(len(same))
    for kind in (True, False):
        count = int((same == kind).sum())
        when[same == kind] = generator.permutation((np.arange(count) + generator.random(count)) / count)
    per_batch = max(SMALLEST_BATCH_OF_PAIRS, batch_size // 2)
    batches = np.array_split(np.argsort(when, kind="stable"), max(1, -(-len(same) // per_batch)))
    return [batch.tolist() for batch in batches]
