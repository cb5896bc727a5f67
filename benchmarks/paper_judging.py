"""What the protocol of paper_protocol.py reaches, judged on the very pairs of `whyalike evaluate`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from siamese.calibration import fit_calibration
from siamese.pairs import draw_pairs
from siamese.samples import Sample
from siamese.splits import Split
from siamese.units import apart
from siamese.verification import Verification

LARGEST_DISTANCE = 1.0
THRESHOLD = 0.5

Embeddings = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judging:
    """The training images as references; of one unit no two are ever compared, as in `whyalike evaluate`."""

    split: Split
    references: Sequence[Sample]
    embedded: Embeddings

    def judged(
        self,
        test: Sequence[Sample],
        asking: Embeddings,
        validation: Sequence[Sample],
        validating: Embeddings,
        *,
        epochs: float,
        seconds: float,
    ) -> Judged:
        """What the embeddings of the test images come to."""
        distances, same = self._pairs(test, asking, self.references, self.embedded)
        among, alike = self._pairs(test, asking, test, asking)
        fitted = fit_calibration(*self._pairs(validation, validating, self.references, self.embedded))
        threshold = THRESHOLD if fitted.threshold is None else fitted.threshold
        return Judged(
            recall_at_1=self._recall(test, asking),
            pair_auc=Verification.of(distances, same).auc() or 0.0,
            pair_accuracy=float(((distances <= threshold) == same).mean()),
            accuracy_at_half=float(((distances <= THRESHOLD) == same).mean()),
            pair_auc_of_queries=Verification.of(among, alike).auc() or 0.0,
            epochs=epochs,
            seconds=seconds,
        )

    def _recall(self, test: Sequence[Sample], asking: Embeddings) -> float:
        known = np.array([sample.label for sample in self.references])
        nearest = NearestNeighbors(n_neighbors=1).fit(self.embedded).kneighbors(asking, return_distance=False)
        return float((known[nearest[:, 0]] == [sample.label for sample in test]).mean())

    def _pairs(
        self,
        queries: Sequence[Sample],
        asking: Embeddings,
        references: Sequence[Sample],
        answering: Embeddings,
    ) -> tuple[Embeddings, NDArray[np.bool_]]:
        """Distances, clamped as theirs, of the very pairs that `whyalike evaluate` judges."""
        units = self.split.units()
        names = [
            (np.array([sample.label for sample in part]), apart(part, units))
            for part in (queries, references)
        ]
        pairs = draw_pairs(*names[0], *names[1], seed=0)
        distances = np.linalg.norm(asking[pairs.queries] - answering[pairs.references], axis=1)
        return np.minimum(distances, LARGEST_DISTANCE), pairs.same


@dataclass(frozen=True, slots=True)
class Judged:
    """What the protocol reaches: R@1 and pair AUC of test against training images, and among test images.

    The accuracy is at a threshold fitted on pairs of validation and training images; `accuracy_at_half` is
    at the paper's.
    """

    recall_at_1: float
    pair_auc: float
    pair_accuracy: float
    accuracy_at_half: float
    pair_auc_of_queries: float
    epochs: float
    seconds: float
