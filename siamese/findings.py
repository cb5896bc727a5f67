"""What an evaluation found label by label and pair by pair."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from siamese.calibration import Calibration
from siamese.measured import Confusion, Hardest, JudgedPair, LabelMeasures
from siamese.trial import Trial

# Hardest pairs of each kind that are kept.
HARDEST = 12


def measure_labels(trial: Trial) -> tuple[LabelMeasures, ...]:
    """Every label that was asked for or could be found, by name."""
    asking, answering = trial.queries.labels, Counter(trial.references.labels.tolist())
    return tuple(
        _measured(trial, label, asking == label, answering[label])
        for label in sorted({*asking.tolist(), *answering})
    )


def _measured(trial: Trial, label: str, of_label: NDArray[np.bool_], references: int) -> LabelMeasures:
    ranked, asked = trial.ranked, of_label & trial.ranked.asked

    def mean(values: NDArray[np.float64]) -> float | None:
        return float(values[asked].mean()) if asked.any() else None

    return LabelMeasures(
        label=label,
        queries=int(asked.sum()),
        references=references,
        recall_at_1=mean(ranked.recalled(1)),
        precision_at_10=mean(ranked.precision(10)),
        map_at_r=mean(ranked.average_precision_at_r),
    )


def confusions(trial: Trial) -> tuple[Confusion, ...]:
    """Which label the nearest match has, for the queries that have something to find; right ones included."""
    found = trial.ranked.asked
    nearest = trial.references.labels[trial.ranked.nearest[found]]
    counts = Counter(zip(trial.queries.labels[found].tolist(), nearest.tolist(), strict=True))
    return tuple(
        Confusion(label=label, nearest=other, queries=count)
        for (label, other), count in sorted(counts.items())
    )


def hardest(trial: Trial, calibration: Calibration) -> Hardest:
    """The nearest shown pairs that are different, and the farthest that are same, one for each query.

    Where there is a threshold, only those whose verdict is wrong.
    """
    shown = trial.shown
    threshold = calibration.threshold
    said_same = ~shown.same if threshold is None else shown.distances <= threshold
    order = np.argsort(shown.distances, kind="stable")
    too_near = order[said_same[order] & ~shown.same[order]]
    too_far = order[~said_same[order] & shown.same[order]][::-1]
    return Hardest(
        taken_for_same=_judged(trial, too_near, calibration),
        taken_for_different=_judged(trial, too_far, calibration),
    )


def _judged(trial: Trial, chosen: NDArray[np.int64], calibration: Calibration) -> tuple[JudgedPair, ...]:
    """The first of the shown pairs at these positions, one for each query and each pair of contents."""
    queries, references = trial.queries.samples, trial.references.samples
    kept: list[JudgedPair] = []
    met: set[str | frozenset[str]] = set()
    for at in chosen.tolist():
        query, matched = queries[trial.shown.pairs.queries[at]], references[trial.shown.pairs.references[at]]
        pair = frozenset((query.checksum, matched.checksum))
        if len(kept) == HARDEST or met & {query.checksum, pair}:
            continue
        met |= {query.checksum, pair}
        distance = float(trial.shown.distances[at])
        kept.append(
            JudgedPair(
                query=query.uri,
                query_label=query.label,
                matched=matched.uri,
                matched_label=matched.label,
                distance=distance,
                probability=calibration.probability(distance),
                verdict=calibration.verdict(distance),
            )
        )
    return tuple(kept)
