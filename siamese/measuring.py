"""From a trial to its figures: retrieval, verification, calibration and the heads, each with its interval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from siamese.calibration import Calibration, FittedOn, fit_calibration
from siamese.heads import ClassHead, PairHead
from siamese.intervals import Bootstrap
from siamese.measured import (
    CalibrationMeasures,
    ClassHeadMeasures,
    Measure,
    PairHeadMeasures,
    RetrievalMeasures,
    ThresholdSource,
    VerificationMeasures,
)
from siamese.reliability import Reliability
from siamese.trial import Floats, ScoredPairs, Trial
from siamese.verification import ErrorRates, Verification

NO_PAIRS = "no query has both a reference of its own label and one of another label"
NO_PAIRS_AMONG = "no query has both a query of its own label and one of another label"
NOTHING_TO_FIND = "no query has a reference of its own label, apart from its own content"
NOTHING_SHOWN = "no query has anything to be shown but its own content"

# The similarity 1 − d that the paper's threshold is fixed at, as a distance.
PAPER_THRESHOLD = 0.5
# The probability at which a head's verdict turns.
EVEN = 0.5
# The false match rate at which missed same pairs are counted.
STRICT = 0.01


def measure_retrieval(trial: Trial) -> RetrievalMeasures:
    """R@k, P@k and MAP@R of the queries that have something to find."""
    ranked = trial.ranked
    asked = ranked.asked.astype(np.float64)

    def mean(values: Floats) -> Measure:
        if not asked.any():
            return Measure(reason=NOTHING_TO_FIND)
        value = float(values[ranked.asked].mean())
        told = trial.bootstrap.means(values * asked, asked)
        return Measure(value=value, interval=trial.bootstrap.interval(value, told))

    return RetrievalMeasures(
        queries=int(asked.sum()),
        recall_at_1=mean(ranked.recalled(1)),
        recall_at_5=mean(ranked.recalled(5)),
        recall_at_10=mean(ranked.recalled(10)),
        precision_at_5=mean(ranked.precision(5)),
        precision_at_10=mean(ranked.precision(10)),
        map_at_r=mean(ranked.average_precision_at_r),
    )


@dataclass(frozen=True, slots=True)
class Judged:
    """Whether the verdict on each pair is right, and where its threshold came from; or why there is none.

    `among` are the pairs that may be judged; None where all may.
    """

    right: NDArray[np.bool_] | None = None
    threshold: float | None = None
    source: ThresholdSource | None = None
    reason: str | None = None
    among: NDArray[np.bool_] | None = None


def judge(scored: ScoredPairs, calibration: Calibration, *, seed: int) -> Judged:
    """Verdicts on the pairs, by the calibration's threshold or by one from the other half of the images.

    Where the queries are the references too, a threshold is fitted on pairs with both images in one half and
    judged on those with both in the other: what lies between the halves is judged by neither.
    """
    if not len(scored):
        return Judged(reason=NO_PAIRS)
    if calibration.threshold is not None:
        right = (scored.distances <= calibration.threshold) == scored.same
        return Judged(right, calibration.threshold, "checkpoint")
    pairs = scored.pairs
    ends = [pairs.queries, pairs.references] if scored.alone else [pairs.queries]
    images = np.random.default_rng(seed).permutation(np.unique(np.concatenate(ends)))
    first = np.stack([np.isin(end, images[: len(images) // 2]) for end in ends])
    halves = first.all(0), ~first.any(0)
    fitted = [fit_calibration(scored.distances[half], scored.same[half]) for half in halves]
    thresholds = [half.threshold for half in fitted if half.threshold is not None]
    if len(thresholds) < 2:
        why = next(half.reason for half in fitted if half.threshold is None)
        return Judged(reason=f"no threshold could be fitted: {why}")
    right = (scored.distances <= np.where(first[0], thresholds[1], thresholds[0])) == scored.same
    return Judged(right, None, "other half of the query images", among=first[0] == first[-1])


def measure_verification(
    scored: ScoredPairs, judged: Judged, bootstrap: Bootstrap, *, scores: Floats | None = None
) -> VerificationMeasures:
    """AUC, accuracy, EER and FNMR by the pairs' distances, or by other `scores` (n,), smaller is nearer."""
    counts = {"same_pairs": int(scored.same.sum()), "different_pairs": int((~scored.same).sum())}
    nothing = Measure(reason=NO_PAIRS)
    if not len(scored):
        return VerificationMeasures(
            **counts, auc=nothing, accuracy=nothing, eer=nothing, fnmr_at_fmr_1=nothing
        )
    verification = Verification.of(scored.distances if scores is None else scores, scored.same)
    auc, eer, missed = _measured(
        scored,
        verification,
        bootstrap,
        (ErrorRates.auc, ErrorRates.equal_error, lambda rates: rates.false_non_matches_at(STRICT)),
    )
    at_half = (scored.distances <= PAPER_THRESHOLD) == scored.same
    return VerificationMeasures(
        **counts,
        auc=auc,
        accuracy=_accuracy(scored, judged, bootstrap),
        accuracy_at_half=scored.mean(at_half, bootstrap) if scores is None else None,
        eer=eer,
        fnmr_at_fmr_1=missed,
    )


def measure_auc(scored: ScoredPairs, bootstrap: Bootstrap) -> Measure:
    """The AUC of pairs of two queries."""
    if not len(scored):
        return Measure(reason=NO_PAIRS_AMONG)
    verification = Verification.of(scored.distances, scored.same)
    return _measured(scored, verification, bootstrap, (ErrorRates.auc,))[0]


def measure_calibration(
    scored: ScoredPairs,
    probabilities: Floats | None,
    trial: Trial,
    *,
    fitted_on: FittedOn | Literal["pair head"] | None,
    reason: str | None = None,
) -> CalibrationMeasures:
    """ECE with its floor, Brier and NLL of the probabilities (n,); without any, the reason why."""
    k = trial.k if scored is trial.shown else None
    counts = {"pairs": len(scored), "same_pairs": int(scored.same.sum()), "k": k}
    if probabilities is None or not len(scored):
        nothing = Measure(reason=reason or (NOTHING_SHOWN if k else NO_PAIRS))
        return CalibrationMeasures(**counts, fitted_on=fitted_on, ece=nothing, brier=nothing, nll=nothing)
    reliability = Reliability(probabilities, scored.same)
    return CalibrationMeasures(
        **counts,
        fitted_on=fitted_on,
        ece=scored.measure(reliability.expected_errors, trial.bootstrap),
        ece_floor=reliability.floor(seed=trial.seed),
        brier=scored.mean(reliability.squared_errors(), trial.bootstrap),
        nll=scored.mean(reliability.surprises(), trial.bootstrap),
    )


def measure_pair_head(trial: Trial, head: PairHead) -> PairHeadMeasures:
    """The head's verification and calibration, beside the distance's on the same pairs.

    It ranks by its logits: probabilities near 0 and 1 are rounded to ties.
    """
    of_pairs, of_shown = (head.probabilities(*scored.embeddings()) for scored in (trial.pairs, trial.shown))
    logits = head.logits(*trial.pairs.embeddings())
    judged = Judged((of_pairs >= EVEN) == trial.pairs.same, EVEN, "checkpoint")
    by_head, by_distance = (
        Verification.of(scores, trial.pairs.same) for scores in (-logits, trial.pairs.distances)
    )

    def gain(weights: NDArray[np.float32]) -> Floats:
        return by_head.rates(weights).auc() - by_distance.rates(weights).auc()

    some = len(trial.pairs) > 0
    return PairHeadMeasures(
        verification=measure_verification(trial.pairs, judged, trial.bootstrap, scores=-logits),
        auc_gain=trial.pairs.measure(gain, trial.bootstrap) if some else Measure(reason=NO_PAIRS),
        pair=measure_calibration(trial.pairs, of_pairs, trial, fitted_on="pair head"),
        shown=measure_calibration(trial.shown, of_shown, trial, fitted_on="pair head"),
    )


def measure_class_head(trial: Trial, head: ClassHead) -> ClassHeadMeasures:
    """Top-1 accuracy on the queries whose label the head knows."""
    labels = trial.queries.labels
    named = np.array(head.labels)[head.logits(trial.queries.embeddings).argmax(axis=1)]
    known = np.isin(labels, head.labels)
    right = (named == labels) & known
    counts = {"queries": int(known.sum()), "unknown_label": int((~known).sum())}
    if not known.any():
        return ClassHeadMeasures(**counts, accuracy=Measure(reason="it knows none of the queries' labels"))
    value = float(right.sum() / known.sum())
    told = trial.bootstrap.means(right.astype(np.float64), known.astype(np.float64))
    return ClassHeadMeasures(
        **counts, accuracy=Measure(value=value, interval=trial.bootstrap.interval(value, told))
    )


def _accuracy(scored: ScoredPairs, judged: Judged, bootstrap: Bootstrap) -> Measure:
    if judged.right is None:
        return Measure(reason=judged.reason)
    return scored.mean(judged.right, bootstrap, among=judged.among)


def _measured(
    scored: ScoredPairs,
    verification: Verification,
    bootstrap: Bootstrap,
    statistics: tuple[Callable[[ErrorRates], Floats], ...],
) -> list[Measure]:
    """Several statistics of the error rates, which are computed once for each resample."""
    whole = verification.rates()
    resampled = [
        [statistic(rates) for statistic in statistics]
        for rates in map(verification.rates, scored.weights(bootstrap))
    ]
    measures = []
    for at, statistic in enumerate(statistics):
        value = float(statistic(whole)[0])
        told = np.concatenate([each[at] for each in resampled])
        measures.append(Measure(value=value, interval=bootstrap.interval(value, told)))
    return measures
