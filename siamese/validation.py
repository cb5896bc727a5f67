"""What the validation images say of an encoder: the scores that choose the epoch, and the calibration."""

from __future__ import annotations

from pydantic import BaseModel, model_validator

from siamese.calibration import Calibration, fit_calibration
from siamese.embedded_samples import EmbeddedSamples, pair_distances, pairs_between
from siamese.pairs import Pairs
from siamese.retrieval import rank
from siamese.shown import shown_pairs
from siamese.verification import Verification

# The same pairs at every epoch and in every training, so that scores can be compared.
PAIR_SEED = 0


class ValidationScores(BaseModel, frozen=True):
    """Validation images against each other, each left out in turn, or judged pairs; rates in [0, 1]."""

    map_at_r: float | None = None
    recall_at_1: float | None = None
    pair_auc: float | None = None

    @model_validator(mode="after")
    def _says_something(self) -> ValidationScores:
        if self.map_at_r is None and self.pair_auc is None:
            raise ValueError("validation scores have a number that can choose an epoch")
        return self

    @property
    def deciding(self) -> float:
        """What chooses the best epoch: MAP@R, for it looks at all neighbours that should be near, where R@1
        looks at one and jumps, and is steeper than the AUC near its end. Where only pairs were judged, their
        AUC.
        """
        return self.map_at_r if self.map_at_r is not None else self.pair_auc or 0.0


def validation_scores(embedded: EmbeddedSamples) -> ValidationScores | None:
    """Scores of embedded validation images; None where no two of them share a label."""
    labels, names = embedded.labels, embedded.apart
    ranked = rank(embedded.embeddings, embedded.embeddings, labels=(labels, labels), checksums=(names, names))
    if not (ranked.relevant > 0).any():
        return None
    pairs = pairs_between(embedded, embedded, seed=PAIR_SEED)
    return ValidationScores(
        map_at_r=float(ranked.map_at_r().mean()),
        recall_at_1=float(ranked.recall_at(1).mean()),
        pair_auc=Verification.of(pair_distances(pairs, embedded, embedded), pairs.same).auc(),
    )


def balanced_pairs(embedded: EmbeddedSamples) -> Pairs:
    """Distinct pairs of the images, as many of one label as of two."""
    return pairs_between(embedded, embedded, seed=PAIR_SEED).distinct(seed=PAIR_SEED)


def calibrated(embedded: EmbeddedSamples, pairs: Pairs | None = None) -> Calibration:
    """A calibration fitted on balanced, distinct pairs of validation images, neither seen in training.

    `pairs` were judged; by default they are drawn by the images' labels.
    """
    if not embedded.samples:
        return Calibration.unfitted("there were no validation images")
    pairs = balanced_pairs(embedded) if pairs is None else pairs
    return fit_calibration(pair_distances(pairs, embedded, embedded), pairs.same)


def calibrated_on_shown(queries: EmbeddedSamples, references: EmbeddedSamples) -> Calibration:
    """A calibration fitted on queries and what a search among references shows first; see `shown_pairs`."""
    if not queries.samples or not references.samples:
        return Calibration.unfitted("there were no validation images, or nothing to show them")
    pairs = shown_pairs(queries, references)
    return fit_calibration(pair_distances(pairs, queries, references), pairs.same, fitted_on="shown")
