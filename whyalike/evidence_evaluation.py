"""`evaluate --evidence`: the trial of evidence beside an evaluation, where it is asked for."""

from __future__ import annotations

from explain.evidence_trial import PAIRS, EvidenceMeasures, try_evidence
from siamese.encoder import Encoder
from siamese.evaluation import Evaluation
from siamese.images import ImageLimits
from siamese.progress import Progress
from siamese.trial import Trial
from whyalike.errors import UsageError
from whyalike.evidence_tables import print_evidence_measures


class EvaluationWithEvidence(Evaluation, frozen=True):
    """An evaluation, and what hiding regions showed of the maps."""

    evidence: EvidenceMeasures


def wanted_pairs(evidence: bool, pairs: int | None) -> int | None:
    """How many pairs are tested, None for none. Raises UsageError for a number without --evidence."""
    if pairs is not None and not evidence:
        raise UsageError(f"--evidence-pairs {pairs} needs --evidence beside it")
    return (pairs or PAIRS) if evidence else None


def measured_evidence(
    encoder: Encoder,
    trial: Trial,
    pairs: int | None,
    *,
    seed: int,
    limits: ImageLimits,
    progress: Progress,
) -> EvidenceMeasures | None:
    """The trial of evidence on so many pairs, or None for None."""
    if pairs is None:
        return None
    return try_evidence(encoder, trial, count=pairs, seed=seed, limits=limits, progress=progress)


def with_evidence(evaluation: Evaluation, measures: EvidenceMeasures | None) -> Evaluation:
    """What `--json` prints: the evaluation, and the evidence where it was tested."""
    if measures is None:
        return evaluation
    return EvaluationWithEvidence(**dict(evaluation), evidence=measures)


def print_evidence(measures: EvidenceMeasures | None) -> None:
    """The tables of the evidence, where it was tested."""
    if measures is not None:
        print_evidence_measures(measures)
