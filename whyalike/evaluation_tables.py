"""An evaluation on the terminal: the figures in groups, and what they were measured on."""

from __future__ import annotations

from pathlib import Path

from siamese.evaluation import Evaluation
from siamese.measured import CalibrationMeasures, Measure, VerificationMeasures
from whyalike.evaluation_words import FIGURES, UNKNOWN, number
from whyalike.tables import print_facts, print_rows

Row = tuple[str, ...]
CONFUSIONS_NAMED = 5


def print_evaluation(evaluation: Evaluation, encoder: str, *, page: Path | None = None) -> None:
    """The measures with their intervals, and what they were measured on."""
    rows = _finding(evaluation) + _apart("pair", evaluation.verification)
    rows.append(("", *_figure("auc_of_queries", evaluation.among_queries)))
    if evaluation.pair_head is not None:
        rows += _apart("pair head", evaluation.pair_head.verification)
        rows.append(("", "AUC gain", *_told(evaluation.pair_head.auc_gain)))
    if evaluation.class_head is not None:
        rows.append(("class head", "accuracy", *_told(evaluation.class_head.accuracy)))
    print_rows(("", "measure", "value", "95 % interval"), rows)
    headings = (
        "probability of",
        "pairs",
        "same",
        "ECE",
        "95 % interval",
        "floor",
        "Brier",
        "NLL",
        "fitted on",
    )
    print_rows(headings, _calibrations(evaluation))
    print_facts(_facts(evaluation, encoder, page))


def _finding(evaluation: Evaluation) -> list[Row]:
    """R@k, P@k and MAP@R."""
    found = [(key, measure) for key, measure in evaluation.retrieval if isinstance(measure, Measure)]
    return [("finding" if not at else "", *_figure(*each)) for at, each in enumerate(found)]


def _apart(scorer: str, measured: VerificationMeasures) -> list[Row]:
    """AUC, accuracy and error rates of one scorer."""
    found = [(key, measure) for key, measure in measured if isinstance(measure, Measure)]
    return [(scorer if not at else "", *_figure(*each)) for at, each in enumerate(found)]


def _figure(key: str, measure: Measure) -> Row:
    return (FIGURES[key].name, *_told(measure))


def _told(measure: Measure) -> Row:
    """A value and its interval, or why there is none."""
    if measure.interval is None:
        return number(measure.value), measure.reason or ""
    return number(measure.value), f"{measure.interval[0]:.4f} to {measure.interval[1]:.4f}"


def _calibrations(evaluation: Evaluation) -> list[Row]:
    calibration, head = evaluation.calibration, evaluation.pair_head
    k = calibration.shown.k
    rows = [
        _calibration(f"shown pairs (first {k})", calibration.shown),
        _calibration("balanced pairs", calibration.pair),
    ]
    if head is not None:
        rows += [
            _calibration("pair head, shown", head.shown),
            _calibration("pair head, balanced", head.pair),
        ]
    return rows


def _calibration(name: str, measured: CalibrationMeasures) -> Row:
    interval = measured.ece.interval
    return (
        name,
        str(measured.pairs),
        str(measured.same_pairs),
        number(measured.ece.value),
        f"{interval[0]:.4f} to {interval[1]:.4f}" if interval else UNKNOWN,
        number(measured.ece_floor),
        number(measured.brier.value),
        number(measured.nll.value),
        measured.fitted_on or measured.ece.reason or UNKNOWN,
    )


def _facts(evaluation: Evaluation, encoder: str, page: Path | None) -> list[tuple[str, str]]:
    """Who was measured, how and on what; numbers that are 0 are left to `--json`."""
    sizes = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in evaluation.sizes.items() if n)
    facts = [("encoder", encoder), ("protocol", evaluation.statement), ("sizes", sizes)]
    if evaluation.pair_threshold is not None:
        facts.append(("threshold", f"distance {evaluation.pair_threshold:.4f}"))
    elif evaluation.threshold_from is not None:
        facts.append(("threshold", f"two, each from the {evaluation.threshold_from}"))
    wrong = sorted((e for e in evaluation.confusions if e.label != e.nearest), key=lambda e: -e.queries)
    if wrong:
        named = ", ".join(f"{e.label} → {e.nearest} {e.queries}" for e in wrong[:CONFUSIONS_NAMED])
        facts.append(("confused", named))
    if page is not None:
        facts.append(("page", str(page)))
    return facts
