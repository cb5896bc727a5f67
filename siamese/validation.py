"""What the validation images say of an encoder: the scores that choose the epoch, and the calibration."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from siamese.calibration import Calibration, fit_calibration
from siamese.embedded_samples import EmbeddedSamples, pair_distances, pairs_between
from siamese.retrieval import rank
from siamese.shown import shown_pairs
from siamese.verification import Verification

# The same pairs at every epoch and in every training, so that scores can be compared.
PAIR_SEED = 0


class ValidationScores(BaseModel, frozen=True):
    """Validation images against each other, each left out in turn; rates in [0, 1]."""

    map_at_r: float
    recall_at_1: float
    pair_auc: float | None

    @property
    def deciding(self) -> float:
        """What chooses the best epoch: MAP@R, for it looks at all neighbours that should be near, where R@1
        looks at one and jumps, and is steeper than the AUC near its end.
        """
        return self.map_at_r


def validation_scores(embedded: EmbeddedSamples) -> ValidationScores | None:
    """Scores of embedded validation images; None where no two of them share a label."""
    labels, checksums = embedded.labels, embedded.checksums
    ranked = rank(
        embedded.embeddings, embedded.embeddings, labels=(labels, labels), checksums=(checksums, checksums)
    )
    if not (ranked.relevant > 0).any():
        return None
    pairs = pairs_between(embedded, embedded, seed=PAIR_SEED)
    return ValidationScores(
        map_at_r=float(ranked.map_at_r().mean()),
        recall_at_1=float(ranked.recall_at(1).mean()),
        pair_auc=Verification.of(pair_distances(pairs, embedded, embedded), pairs.same).auc(),
    )


def calibrated(embedded: EmbeddedSamples) -> Calibration:
    """A calibration fitted on balanced, distinct pairs of validation images, neither seen in training."""
    if not embedded.samples:
        return Calibration.unfitted("there were no validation images")
    pairs = pairs_between(embedded, embedded, seed=PAIR_SEED).distinct(seed=PAIR_SEED)
    return fit_calibration(pair_distances(pairs, embedded, embedded), pairs.same)


def calibrated_on_shown(
    queries: EmbeddedSamples,
    references: EmbeddedSamples,
    *,
    units: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None,
) -> Calibration:
    """A calibration fitted on queries and what a search among references shows first; see `shown_pairs`."""
    if not queries.samples or not references.samples:
        return Calibration.unfitted("there were no validation images, or nothing to show them")
    pairs = shown_pairs(queries, references, units=units)
    return fit_calibration(pair_distances(pairs, queries, references), pairs.same, fitted_on="shown")
