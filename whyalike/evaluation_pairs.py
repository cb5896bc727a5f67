"""The sections of an evaluation page about pairs: telling them apart, and what a probability is worth."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from explain.evaluation_page import Block, Plot, Section, Table
from explain.plots import distance_plot, errors_plot, reliability_plot, roc_plot
from siamese.calibration import Calibration
from siamese.checkpoint import CheckpointRecord
from siamese.evaluation import Evaluation
from siamese.heads import Heads
from siamese.measured import CalibrationMeasures, Measure, VerificationMeasures
from siamese.measuring import PAPER_THRESHOLD, STRICT
from siamese.reliability import BINS, Reliability
from siamese.trial import ScoredPairs, Trial
from siamese.verification import Verification
from whyalike.evaluation_words import FIGURES, UNKNOWN, number, percent

Curves = dict[str, tuple[NDArray[Any], NDArray[Any]]]
"""False and true match rates by the name of the scorer."""


def apart_section(evaluation: Evaluation, trial: Trial, heads: Heads) -> Section:
    """ROC curves and the distances of both kinds of pairs."""
    measured, pairs = evaluation.verification, trial.pairs
    if not len(pairs):
        return Section("Telling apart", (measured.auc.reason or "",), ())
    blocks = (
        *_roc_plots(measured, _curves(pairs, heads)),
        *_threshold_plots(evaluation, pairs),
        _verification_table(evaluation),
    )
    sentences = (
        f"{measured.same_pairs} same and {measured.different_pairs} different pairs of a query and a "
        "reference, drawn for each query; never an image with its own content, or with one of its unit.",
    )
    return Section("Telling apart", sentences, blocks)


def worth_section(evaluation: Evaluation, trial: Trial, record: CheckpointRecord, heads: Heads) -> Section:
    """Reliability diagrams and scores, for shown pairs and for balanced ones."""
    kinds = (
        (
            "shown",
            "pairs as a search shows them",
            trial.shown,
            record.for_search,
            evaluation.calibration.shown,
        ),
        ("pair", "balanced pairs", trial.pairs, record.calibration, evaluation.calibration.pair),
    )
    blocks: list[Block] = []
    rows = []
    for name, words, scored, calibration, measured in kinds:
        rows.append(_calibration_row(words, measured))
        blocks += _reliability(name, words, scored, calibration, measured)
    if evaluation.pair_head is not None:
        rows += [
            _calibration_row("pair head, shown pairs", evaluation.pair_head.shown),
            _calibration_row("pair head, balanced pairs", evaluation.pair_head.pair),
        ]
    headings = ("pairs", "number", "same", "fitted on", "ECE", "95 % interval", "its floor", "Brier", "NLL")
    blocks.append(Table("Calibration", headings, tuple(rows)))
    k = evaluation.calibration.shown.k
    sentences = (
        f"Shown pairs are each query with its {k} nearest references: what a search puts a probability on. "
        "The floor is the ECE that a perfectly calibrated score of this size shows by noise alone.",
    )
    return Section("What a probability is worth", sentences, tuple(blocks))


def _roc_plots(measured: VerificationMeasures, curves: Curves) -> tuple[Plot, Plot]:
    """The whole curve, and where false matches are rare."""
    auc, eer = number(measured.auc.value), percent(measured.eer.value or 0)
    missed = percent(measured.fnmr_at_fmr_1.value or 0)
    whole = f"ROC over all {measured.same_pairs + measured.different_pairs} pairs: area {auc}, both errors "
    whole += f"equal at {eer}."
    rare = f"The same where false matches are rare: at 1 % of them, {missed} of the same pairs are missed."
    return (
        Plot(roc_plot(curves, strict=None, name="roc", alt=whole), whole),
        Plot(roc_plot(curves, strict=STRICT, name="strict", alt=rare), rare),
    )


def _threshold_plots(evaluation: Evaluation, pairs: ScoredPairs) -> tuple[Plot, Plot]:
    """Where the distances lie, and what each threshold would get wrong."""
    same, different = pairs.distances[pairs.same], pairs.distances[~pairs.same]
    threshold, eer = evaluation.pair_threshold, percent(evaluation.verification.eer.value or 0)
    lie = f"Half of the same pairs are nearer than {np.median(same):.3f}, half of the different ones "
    lie += f"nearer than {np.median(different):.3f}."
    meet = f"Both errors over the threshold: they meet at {eer}."
    return (
        Plot(distance_plot(same, different, threshold=threshold, name="distances", alt=lie), lie),
        Plot(errors_plot(*_errors(pairs), marks=_marks(threshold), name="errors", alt=meet), meet),
    )


def _curves(pairs: ScoredPairs, heads: Heads) -> Curves:
    scores = {"distance": pairs.distances}
    if heads.pair:
        scores["pair head"] = -heads.pair.probabilities(*pairs.embeddings())
    rates = {name: Verification.of(each, pairs.same).rates() for name, each in scores.items()}
    return {name: (each.false_matches[0], 1 - each.false_non_matches[0]) for name, each in rates.items()}


def _errors(pairs: ScoredPairs) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """The thresholds, and both error rates at them."""
    verification = Verification.of(pairs.distances, pairs.same)
    rates = verification.rates()
    thresholds = np.concatenate([[0.0], verification.thresholds])
    return thresholds, rates.false_matches[0], rates.false_non_matches[0]


def _marks(threshold: float | None) -> dict[str, float]:
    fitted = {} if threshold is None else {f"fitted, {threshold:.3f}": threshold}
    return fitted | {f"the paper's, {PAPER_THRESHOLD}": PAPER_THRESHOLD}


def _verification_table(evaluation: Evaluation) -> Table:
    scorers = [("distance", evaluation.verification)]
    if evaluation.pair_head is not None:
        scorers.append(("pair head", evaluation.pair_head.verification))
    rows = []
    for name, each in scorers:
        for key, measure in each:
            if isinstance(measure, Measure):
                figure = FIGURES[key]
                rows.append(
                    (f"{name}: {figure.name}", figure.written(measure.value), figure.interval(measure))
                )
    if evaluation.pair_threshold is not None:
        rows.append(
            (
                "distance: threshold",
                f"{evaluation.pair_threshold:.4f}",
                f"from the {evaluation.threshold_from}",
            )
        )
    return Table("Pairs in figures", ("measure", "value", "95 % interval"), tuple(rows))


def _reliability(
    name: str, words: str, scored: ScoredPairs, calibration: Calibration, measured: CalibrationMeasures
) -> list[Block]:
    """The diagram and its numbers; nothing where no probability is told."""
    told = calibration.probabilities(scored.distances)
    if told is None or not len(scored):
        return []
    reliability = Reliability(told, scored.same)
    counts = reliability.in_bins(np.ones(len(told)))
    filled = np.maximum(counts, 1)
    means, shares = reliability.in_bins(told) / filled, reliability.in_bins(scored.same) / filled
    ece, floor = measured.ece.value or 0, measured.ece_floor or 0
    alt = f"Reliability diagram of {words}: expected calibration error {ece:.4f}, floor {floor:.4f}."
    caption = (
        f"{words.capitalize()}: ECE {ece:.4f}, of which noise alone would show {floor:.4f}. Bars are 95 %."
    )
    rows = tuple(
        (
            f"{at / BINS:.2f} to {(at + 1) / BINS:.2f}",
            f"{counts[at]:.0f}",
            number(means[at]),
            number(shares[at]),
        )
        for at in range(BINS)
        if counts[at]
    )
    headings = ("probability", "pairs", "mean told", "share same")
    return [
        Plot(reliability_plot(means, shares, counts, name=name, alt=alt), caption),
        Table(f"The bins of {words}", headings, rows, folded=True),
    ]


def _calibration_row(words: str, measured: CalibrationMeasures) -> tuple[str, ...]:
    interval = measured.ece.interval
    return (
        words,
        str(measured.pairs),
        percent(measured.same_pairs / measured.pairs) if measured.pairs else UNKNOWN,
        measured.fitted_on or UNKNOWN,
        number(measured.ece.value),
        f"{interval[0]:.4f} to {interval[1]:.4f}" if interval else measured.ece.reason or "",
        number(measured.ece_floor),
        number(measured.brier.value),
        number(measured.nll.value),
    )
