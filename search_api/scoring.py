"""Scorers: how a pair of embeddings is judged, as a value passed in.

Every scorer tells the distance; its own number, the score, decides order, probability and verdict.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from explain.scores import cosine_at
from search_api.schemas.base import ExplainedScore, ScorerName, Verdict
from search_api.schemas.encoder import CalibrationSchema
from siamese.calibration import Calibration
from siamese.heads import HeadsRecord, PairHead

Floats = npt.NDArray[np.float32]
MAX_DISTANCE = 2.0
"""Of two unit vectors, where they point in opposite directions."""
EVENS = 0.5
"""The probability at and above which a pair head says "same": it was calibrated on balanced pairs."""

BY_DISTANCE: tuple[ExplainedScore, ...] = ("cosine", "distance")
BY_PAIR_HEAD: tuple[ExplainedScore, ...] = ("pair-head",)
EXPLAINS: Mapping[ScorerName, Collection[ExplainedScore]] = {
    "distance": BY_DISTANCE,
    "pair-head": BY_PAIR_HEAD,
}
"""The numbers that explain a scorer's verdicts, because these turn where the numbers do."""


@dataclass(frozen=True, slots=True)
class Scored:
    """The numbers of one pair: its distance in [0, 2], the scorer's own number, and what is made of that."""

    distance: float
    score: float
    probability: float | None
    verdict: Verdict | None

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


class Scorer(Protocol):
    """Judges pairs of embeddings."""

    @property
    def name(self) -> ScorerName:
        """What people call it."""

    @property
    def explained(self) -> ExplainedScore:
        """The number that its evidence adds up to, where no other is asked for."""

    @property
    def reorders(self) -> bool:
        """Whether candidates may come in another order than by their distance, so that more are needed."""

    @property
    def threshold(self) -> float | None:
        """The distance at which its verdicts turn; None where they turn at no distance, or there are none."""

    @property
    def calibration(self) -> CalibrationSchema:
        """What its probabilities and verdicts were fitted on."""

    def scored(self, query: Floats, matched: Floats) -> list[Scored]:
        """The numbers of one embedding (D,) with each of the others (n, D)."""

    def order(self, scored: Scored) -> tuple[float, ...]:
        """What ranks a pair: the smallest comes first."""


@dataclass(frozen=True, slots=True)
class DistanceScorer:
    """The distance, and what its calibration makes of it."""

    fitted: Calibration
    name: ScorerName = field(default="distance", init=False)
    explained: ExplainedScore = field(default="cosine", init=False)
    reorders: bool = field(default=False, init=False)

    @property
    def threshold(self) -> float | None:
        """Where the calibration's verdict turns."""
        return self.fitted.threshold

    @property
    def calibration(self) -> CalibrationSchema:
        """The pairs of the calibration."""
        return calibration_schema(self.fitted)

    def scored(self, query: Floats, matched: Floats) -> list[Scored]:
        """The distances."""
        return [score(distance(query, row), self.fitted) for row in matched]

    def order(self, scored: Scored) -> tuple[float, ...]:
        """The nearest first."""
        return (scored.distance,)


@dataclass(frozen=True, slots=True)
class PairHeadScorer:
    """The logit of a learned, calibrated pair head; the probability is its sigmoid."""

    head: PairHead
    fitted: HeadsRecord
    name: ScorerName = field(default="pair-head", init=False)
    explained: ExplainedScore = field(default="pair-head", init=False)
    reorders: bool = field(default=True, init=False)
    threshold: None = field(default=None, init=False)

    @property
    def calibration(self) -> CalibrationSchema:
        """The balanced validation pairs that the head was calibrated on."""
        return CalibrationSchema(fitted_on="pair", pairs=self.fitted.pairs, reason=None)

    def scored(self, query: Floats, matched: Floats) -> list[Scored]:
        """The logits, and what follows from them."""
        logits = self.head.logits(query, matched).tolist()
        probabilities = self.head.probabilities(query, matched).tolist()
        distances = [distance(query, row) for row in matched]
        return [
            Scored(apart, logit, chance, "same" if chance >= EVENS else "different")
            for apart, logit, chance in zip(distances, logits, probabilities, strict=True)
        ]

    def order(self, scored: Scored) -> tuple[float, ...]:
        """The greatest logit first, then the nearest."""
        return (-scored.score, scored.distance)


def distance(first: Floats, second: Floats) -> float:
    """The Siamese distance of two unit embeddings (D,), from their difference; exactly 0 for equal ones."""
    return min(float(np.linalg.norm(first.astype(np.float64) - second)), MAX_DISTANCE)


def score(distance: float, calibration: Calibration) -> Scored:
    """What the calibration makes of a distance."""
    return Scored(distance, distance, calibration.probability(distance), calibration.verdict(distance))


def calibration_schema(calibration: Calibration) -> CalibrationSchema:
    """What probabilities and verdicts by distances stand on."""
    return CalibrationSchema(
        fitted_on=calibration.fitted_on, pairs=calibration.pairs, reason=calibration.reason
    )
