"""The figures of an evaluation in words: their names, what they mean, and how they are written."""

from __future__ import annotations

from dataclasses import dataclass

from explain.evaluation_page import Table
from siamese.evaluation import Evaluation
from siamese.measured import Measure

UNKNOWN = "–"


@dataclass(frozen=True, slots=True)
class Figure:
    """How a figure is called, what it means, and whether it stands at the top."""

    name: str
    meaning: str
    headline: bool = False
    rate: bool = True
    """Whether it is a share of something that people count, and is read as a percentage."""

    def written(self, value: float | None) -> str:
        """The value as people read it."""
        if value is None:
            return UNKNOWN
        return percent(value) if self.rate else f"{value:.4f}"

    def interval(self, measure: Measure) -> str:
        """From where to where, or why there is no figure, or nothing."""
        if measure.interval is None:
            return measure.reason or ""
        low, high = (self.written(end) for end in measure.interval)
        return f"{low} to {high}"


FIGURES = {
    "recall_at_1": Figure("R@1", "the nearest match has the query's label", True),
    "recall_at_5": Figure("R@5", "one of the five nearest has it"),
    "recall_at_10": Figure("R@10", "one of the ten nearest has it"),
    "precision_at_5": Figure("P@5", "share of the five nearest with the query's label"),
    "precision_at_10": Figure("P@10", "share of the ten nearest with the query's label"),
    "map_at_r": Figure("MAP@R", "precision over the ranks that all R of its label could fill", True),
    "auc": Figure("pair AUC", "chance that a same pair is nearer than a different one", True, rate=False),
    "auc_of_queries": Figure("pair AUC among queries", "the same for pairs of two queries", rate=False),
    "accuracy": Figure("pair accuracy", "right verdicts on balanced pairs, at the threshold", True),
    "accuracy_at_half": Figure("pair accuracy at 0.5", "the same at the paper's fixed similarity of 0.5"),
    "eer": Figure("EER", "false matches and false non-matches, where both are as frequent", True),
    "fnmr_at_fmr_1": Figure("FNMR at FMR 1 %", "same pairs missed where 1 % of different ones pass", True),
    "ece": Figure(
        "ECE on shown pairs", "how far a probability is from the share it promises", True, rate=False
    ),
}


def percent(value: float) -> str:
    """A rate as people read it."""
    return f"{100 * value:.1f} %"


def figures_of(evaluation: Evaluation) -> list[tuple[Figure, Measure]]:
    """Every figure that there is, with how it is told."""
    found: dict[str, Measure | None] = {**dict(evaluation.retrieval), **dict(evaluation.verification)}
    found |= {"ece": evaluation.calibration.shown.ece, "auc_of_queries": evaluation.among_queries}
    return [(figure, measure) for key, figure in FIGURES.items() if (measure := found[key]) is not None]


def measures_table(evaluation: Evaluation) -> Table:
    """Every figure with its interval and its meaning."""
    rows = tuple(
        (figure.name, figure.written(measure.value), figure.interval(measure), figure.meaning)
        for figure, measure in figures_of(evaluation)
    )
    return Table("All figures", ("measure", "value", "95 % interval", "what it means"), rows, folded=True)


def number(value: float | None) -> str:
    """A number with four decimals, or a dash."""
    return UNKNOWN if value is None else f"{value:.4f}"
