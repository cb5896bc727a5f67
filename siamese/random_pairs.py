"""Random pairs of a collection, each pair once: two of one label, two of different ones, or any two."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class PossiblePairs:
    """Every pair of one kind: the image at `order[i]` with each of those at `order[start[i]:stop[i]]`.

    All three are (n,); a pair is possible in one direction only, so none is counted twice.
    """

    order: Positions
    start: Positions
    stop: Positions

    @classmethod
    def of_any(cls, count: int) -> PossiblePairs:
        """Any two of `count` images."""
        order = np.arange(count)
        return cls(order, order + 1, np.full(count, count))

    @classmethod
    def of_labels(cls, labels: Sequence[str], *, same: bool) -> PossiblePairs:
        """Two images of one label, or of two labels."""
        numbers = np.unique(np.asarray(labels, np.str_), return_inverse=True)[1]
        order = np.argsort(numbers, kind="stable")
        ends = np.searchsorted(numbers[order], numbers[order], side="right")
        if same:
            return cls(order, np.arange(len(order)) + 1, ends)
        return cls(order, ends, np.full(len(order), len(order)))

    def __len__(self) -> int:
        return int((self.stop - self.start).sum())

    def drawn(self, *, seed: int, most: int) -> Iterator[tuple[int, int]]:
        """Up to `most` of the pairs, each equally likely and none twice, in either direction."""
        counts = self.stop - self.start
        ends = np.cumsum(counts)
        chance = random.Random(seed)  # samples from a range of any length without ever listing it
        for rank in chance.sample(range(len(self)), min(most, len(self))):
            at = int(np.searchsorted(ends, rank, side="right"))
            partner = self.start[at] + rank - (ends[at] - counts[at])
            pair = int(self.order[at]), int(self.order[partner])
            yield pair if chance.random() < 0.5 else pair[::-1]
