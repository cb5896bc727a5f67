"""The scorer: the distance of two embeddings, and what the calibration makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from explain.scores import cosine_at
from siamese.calibration import Calibration

Floats = npt.NDArray[np.float32]
MAX_DISTANCE = 2.0
"""Of two unit vectors, where they point in opposite directions."""


@dataclass(frozen=True, slots=True)
class Scored:
    """The numbers of one pair: its distance in [0, 2], and what the calibration makes of it."""

    distance: float
    probability: float | None
    verdict: Literal["same", "different"] | None

    def __post_init__(self) -> None:
        if not 0 <= self.distance <= MAX_DISTANCE:
            raise ValueError(f"A distance of unit embeddings lies in [0, 2], not at {self.distance}.")

    @property
    def cosine(self) -> float:
        """1 − d² / 2, in [−1, 1]."""
        return float(cosine_at(self.distance))

    @property
    def similarity(self) -> float:
        """1 − d, in [−1, 1]."""
        return 1 - self.distance


def distance(first: Floats, second: Floats) -> float:
    """The Siamese distance of two unit embeddings (D,), from their difference; exactly 0 for equal ones."""
    return min(float(np.linalg.norm(first.astype(np.float64) - second)), MAX_DISTANCE)


def score(distance: float, calibration: Calibration) -> Scored:
    """What the calibration makes of a distance."""
    return Scored(distance, calibration.probability(distance), calibration.verdict(distance))
