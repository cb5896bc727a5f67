"""Verification: whether a distance tells same pairs from different ones, over all pairs at once.

A threshold accepts the pairs up to it. The false match rate (FMR) is the share of different pairs that it
accepts, the false non-match rate (FNMR) the share of same pairs that it refuses (ISO/IEC 19795-1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ErrorRates:
    """Both rates at every threshold, from none accepted to all: each (B, t), one row for each weighting.

    A row whose pairs are of one kind is NaN, and so is all that is told of it.
    """

    false_matches: Floats
    false_non_matches: Floats

    def auc(self) -> Floats:
        """(B,) the chance that a same pair is nearer than a different one, ties half (Mann-Whitney)."""
        accepted = 1 - self.false_non_matches
        steps = np.diff(self.false_matches, axis=1)
        area: Floats = (steps * (accepted[:, 1:] + accepted[:, :-1]) / 2).sum(axis=1)
        return area

    def equal_error(self) -> Floats:
        """(B,) the rate at which both errors are equal (EER), between thresholds on a straight line."""
        gaps = self.false_matches - self.false_non_matches  # rises from -1 to 1
        after = np.maximum((gaps >= 0).argmax(axis=1), 1)
        rows = np.arange(len(gaps))
        left, right = gaps[rows, after - 1], gaps[rows, after]
        share = -left / (right - left)
        low, high = self.false_matches[rows, after - 1], self.false_matches[rows, after]
        rate: Floats = low + share * (high - low)
        return rate

    def false_non_matches_at(self, rate: float) -> Floats:
        """(B,) the least FNMR of all thresholds whose FMR is at most `rate`."""
        allowed = np.where(self.false_matches <= rate, self.false_non_matches, np.inf).min(axis=1)
        return np.where(np.isfinite(self.false_matches[:, -1]), allowed, np.nan)


@dataclass(frozen=True, slots=True, eq=False)
class Verification:
    """Scored pairs in the order of their distance, so that any weighting of them is judged in one pass."""

    order: NDArray[np.int64]
    same: NDArray[np.bool_]
    ends: NDArray[np.int64]
    """Where the runs of equal distances end, in that order: thresholds lie only there."""
    thresholds: Floats
    """The distance of each run."""

    @classmethod
    def of(cls, distances: NDArray[np.floating], same: NDArray[np.bool_]) -> Verification:
        """Pairs with these distances (n,), of which some are the same (n,)."""
        order = np.argsort(distances, kind="stable")
        ordered = np.asarray(distances, np.float64)[order]
        ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True)[: len(ordered)])
        return cls(order, same[order], ends, ordered[ends])

    def rates(self, weights: NDArray[np.floating] | None = None) -> ErrorRates:
        """The error rates under each weighting (B, n) of the pairs, or with all pairs alike."""
        counted = np.ones((1, len(self.order)), np.float32) if weights is None else weights[:, self.order]
        return ErrorRates(self._shares(counted, ~self.same), 1 - self._shares(counted, self.same))

    def auc(self) -> float | None:
        """Chance that a same pair is nearer than a different one; None without pairs of both kinds."""
        value = float(self.rates().auc()[0])
        return None if np.isnan(value) else value

    def _shares(self, weights: NDArray[np.floating], kind: NDArray[np.bool_]) -> Floats:
        """(B, t) the share of a kind's pairs that each threshold accepts, 0 first."""
        accepted = np.cumsum(weights * kind, axis=1, dtype=np.float64)[:, self.ends]
        accepted = np.concatenate([np.zeros((len(weights), 1)), accepted], axis=1)
        with np.errstate(invalid="ignore"):
            shares: Floats = accepted / accepted[:, -1:]
        return shares
