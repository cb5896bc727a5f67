"""Reliability: whether a probability is the share of pairs that are same, as it claims to be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Equal-width bins, as in Guo et al. (ICML 2017), section 2.
BINS = 15
# Draws of perfectly calibrated labels: enough for two digits of their mean error.
SIMULATIONS = 200


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """What was claimed of each pair, and whether it is same: both (n,)."""

    probabilities: Floats
    same: NDArray[np.bool_]

    @property
    def bins(self) -> NDArray[np.int64]:
        """(n,) the bin that each probability falls into, 0 to BINS - 1."""
        return np.minimum((self.probabilities * BINS).astype(np.int64), BINS - 1)

    @property
    def surplus(self) -> Floats:
        """(n,) by how much each claim exceeds what came true."""
        return self.probabilities - self.same

    def in_bins(self, values: NDArray[np.generic]) -> Floats:
        """(BINS,) the sum of the pairs' values in each bin."""
        sums: Floats = np.bincount(self.bins, weights=values, minlength=BINS).astype(np.float64)
        return sums

    def expected_error(self) -> float:
        """The expected calibration error (ECE): the mean gap of the bins, weighted by their pairs."""
        return float(self.expected_errors(np.ones((1, len(self.same)), np.float32))[0])

    def expected_errors(self, weights: NDArray[np.floating]) -> Floats:
        """(b,) the ECE under each weighting (b, n) of the pairs."""
        surplus = np.zeros((len(self.same), BINS))
        surplus[np.arange(len(self.same)), self.bins] = self.surplus
        with np.errstate(invalid="ignore"):
            errors: Floats = np.abs(weights @ surplus).sum(axis=1) / weights.sum(axis=1)
        return errors

    def floor(self, *, seed: int) -> float:
        """The mean ECE of labels that are drawn from these very probabilities: what noise alone shows."""
        generator = np.random.default_rng(seed)
        errors = [
            np.abs(
                self.in_bins(self.probabilities - (generator.random(len(self.same)) < self.probabilities))
            ).sum()
            for _ in range(SIMULATIONS)
        ]
        return float(np.mean(errors) / len(self.same))

    def squared_errors(self) -> Floats:
        """(n,) whose mean is Brier's score."""
        return self.surplus**2

    def surprises(self) -> Floats:
        """(n,) whose mean is the negative log-likelihood (NLL), in nats; bounded as by scikit-learn."""
        least = np.finfo(np.float64).eps
        told = np.clip(np.where(self.same, self.probabilities, 1 - self.probabilities), least, 1 - least)
        surprises: Floats = -np.log(told)
        return surprises
