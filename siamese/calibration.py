"""From the distance of a pair to the chance that it is *same*, and to a verdict."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, model_validator

# Two numbers are fitted; with fewer pairs of a kind than this they would be invented.
MINIMUM_PAIRS = 10
# The inverse of scikit-learn's regularisation: large enough to leave the fit alone.
UNREGULARISED = 1e6
# The balanced accuracy of a coin.
CHANCE = 0.5

# The greatest distance of two unit embeddings.
FARTHEST = 2.0

Verdict = Literal["same", "different"]
FittedOn = Literal["pair", "shown"]

_KINDS: dict[FittedOn, str] = {"pair": "validation", "shown": "shown"}


class Calibration(BaseModel, frozen=True):
    """What the distances of one encoder mean, or the reason why nobody knows.

    `fitted_on` says which pairs it was fitted on: "pair" is balanced labelled validation pairs, "shown" is
    labelled queries, each with the matches that a search shows first.
    Either all numbers are given, or none of them and a `reason`.
    """

    fitted_on: FittedOn | None = None
    intercept: float | None = None
    slope: float | None = None
    threshold: float | None = None
    balanced_accuracy: float | None = None
    pairs: int = 0
    reason: str | None = None

    @classmethod
    def unfitted(cls, reason: str, *, pairs: int = 0) -> Calibration:
        """No probability and no verdict, and why."""
        return cls(reason=reason, pairs=pairs)

    @model_validator(mode="after")
    def _all_or_nothing(self) -> Calibration:
        numbers = (self.intercept, self.slope, self.threshold, self.balanced_accuracy)
        fitted = [number is not None and math.isfinite(number) for number in numbers]
        if any(fitted) != all(fitted) or any(fitted) != (self.fitted_on is not None):
            raise ValueError("a calibration has all of its numbers or none")
        if any(fitted) == (self.reason is not None):
            raise ValueError("a calibration has numbers or a reason, and not both")
        return self

    def probability(self, distance: float) -> float | None:
        """The chance in [0, 1] that a pair at this distance is same; falls with the distance."""
        if self.intercept is None or self.slope is None:
            return None
        return 1 / (1 + math.exp(min(self.slope * distance - self.intercept, 700.0)))

    def probabilities(self, distances: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """The same for many distances at once: (n,), or None where nothing was fitted."""
        if self.intercept is None or self.slope is None:
            return None
        return np.exp(-np.logaddexp(0.0, self.slope * distances - self.intercept))

    def verdict(self, distance: float) -> Verdict | None:
        """Same up to the threshold, different beyond it, None where nothing was fitted."""
        if self.threshold is None:
            return None
        return "same" if distance <= self.threshold else "different"


def fit_calibration(
    distances: NDArray[np.float32] | NDArray[np.float64],
    same: NDArray[np.bool_],
    *,
    fitted_on: FittedOn = "pair",
) -> Calibration:
    """Fit probability and threshold on labelled pairs; unfitted, with the reason, where they say nothing.

    distances: (n,) in [0, 2]; same: (n,) bool. The probability is Platt's sigmoid with his smoothed
    targets (Platt 1999, section 2.2), so that separable pairs do not make it a step. The threshold on "pair"
    is the midpoint between two neighbouring distances with the best balanced accuracy. On "shown", where
    most pairs may be same, it is where the probability is one half, so that the two never contradict.
    """
    distances = np.asarray(distances, np.float64)
    if distances.shape != same.shape or distances.ndim != 1 or not np.isfinite(distances).all():
        raise ValueError(f"one finite distance per pair is needed, not {distances.shape} for {same.shape}")
    kind = _KINDS[fitted_on]
    if min(int(same.sum()), int((~same).sum())) < MINIMUM_PAIRS:
        reason = f"there are {same.sum()} same and {(~same).sum()} different {kind} pairs"
        return Calibration.unfitted(f"{reason}; at least {MINIMUM_PAIRS} of each are needed", pairs=len(same))
    intercept, slope = platt(distances, same)
    if slope <= 0:
        reason = f"the distances of same {kind} pairs are no smaller than those of different ones"
        return Calibration.unfitted(reason, pairs=len(same))
    threshold = _best_threshold(distances, same) if fitted_on == "pair" else intercept / slope
    accuracy = _balanced_accuracy(distances <= threshold, same)
    if fitted_on == "pair" and accuracy <= CHANCE:
        reason = "no distance tells same validation pairs from different ones better than chance"
        return Calibration.unfitted(reason, pairs=len(same))
    if threshold < 0:
        return Calibration.unfitted("most shown pairs are different, however near they are", pairs=len(same))
    return Calibration(
        fitted_on=fitted_on,
        intercept=intercept,
        slope=slope,
        threshold=min(threshold, FARTHEST),
        balanced_accuracy=accuracy,
        pairs=len(same),
    )


def platt(distances: NDArray[np.float64], same: NDArray[np.bool_]) -> tuple[float, float]:
    """Intercept and slope of P(same) = sigmoid(intercept - slope · distance)."""
    from sklearn.linear_model import LogisticRegression

    positives, negatives = same.sum(), (~same).sum()
    target = np.where(same, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    regression = LogisticRegression(C=UNREGULARISED, max_iter=1000)
    both = np.concatenate([distances, distances])[:, None]
    labels = np.repeat([True, False], len(distances))
    regression.fit(both, labels, sample_weight=np.concatenate([target, 1 - target]))
    return float(regression.intercept_[0]), -float(regression.coef_[0, 0])


def _best_threshold(distances: NDArray[np.float64], same: NDArray[np.bool_]) -> float:
    """The threshold with the best balanced accuracy."""
    order = np.argsort(distances, kind="stable")
    ordered, kinds = distances[order], same[order]
    kept_same = np.cumsum(kinds) / kinds.sum()
    kept_different = 1 - np.cumsum(~kinds) / (~kinds).sum()
    accuracy = (kept_same + kept_different)[:-1] / 2
    accuracy[ordered[1:] == ordered[:-1]] = -1  # no threshold lies between equal distances
    best = int(accuracy.argmax())
    return float((ordered[best] + ordered[best + 1]) / 2)


def _balanced_accuracy(said_same: NDArray[np.bool_], same: NDArray[np.bool_]) -> float:
    """The mean of the shares of same and of different pairs that were told rightly."""
    return float((said_same[same].mean() + (~said_same[~same]).mean()) / 2)
