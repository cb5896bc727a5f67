"""Candidates become matches: the distance of the exact embeddings decides, not what the index reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from gallery.build import Candidate
from siamese.calibration import Calibration

Floats = npt.NDArray[np.float32]
MAX_DISTANCE = 2.0
"""Of two unit vectors, where they point in opposite directions."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a scorer says of one pair: the distance in [0, 2], and what the calibration makes of it."""

    distance: float
    probability: float | None
    verdict: Literal["same", "different"] | None

    def __post_init__(self) -> None:
        if not 0 <= self.distance <= MAX_DISTANCE:
            raise ValueError(f"A distance of unit embeddings lies in [0, 2], not at {self.distance}.")

    @property
    def cosine(self) -> float:
        """1 − d² / 2, in [−1, 1]."""
        return 1 - self.distance**2 / 2

    @property
    def similarity(self) -> float:
        """1 − d, in [−1, 1]."""
        return 1 - self.distance


@dataclass(frozen=True, slots=True)
class Match:
    """A candidate that was re-scored and ranked, from 1."""

    rank: int
    image_id: int
    index_distance: float
    judgement: Judgement

    def __post_init__(self) -> None:
        if self.rank < 1:
            raise ValueError(f"Ranks begin at 1, not at {self.rank}.")


def distance(first: Floats, second: Floats) -> float:
    """The Siamese distance of two unit embeddings (D,), from their difference; exactly 0 for equal ones."""
    return min(float(np.linalg.norm(first.astype(np.float64) - second)), MAX_DISTANCE)


def judge(distance: float, calibration: Calibration) -> Judgement:
    """What the calibration makes of a distance."""
    return Judgement(distance, calibration.probability(distance), calibration.verdict(distance))


def rescore(
    embedding: Floats, candidates: Sequence[Candidate], exact: Floats, calibration: Calibration
) -> list[Match]:
    """Every candidate, judged by its exact embedding (row i of `exact`), nearest first, then by image_id.

    Permutes the candidates; invents none and drops none.
    """
    scored = [(distance(embedding, row), each) for each, row in zip(candidates, exact, strict=True)]
    scored.sort(key=lambda pair: (pair[0], pair[1].image_id))
    return [
        Match(rank, each.image_id, each.index_distance, judge(exact_distance, calibration))
        for rank, (exact_distance, each) in enumerate(scored, start=1)
    ]
