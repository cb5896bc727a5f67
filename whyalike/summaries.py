"""What a training, an evaluation or an indexing run came to, for people."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from gallery.web.urls import shown
from siamese.fingerprint import short
from whyalike.console import out, say
from whyalike.index_facts import index_facts
from whyalike.tables import UNKNOWN, print_facts, print_rows, share

if TYPE_CHECKING:  # what a verb prints about is loaded by then; what it does not is never loaded
    from indexer.rehearsal import RehearsalReport
    from indexer.report import IndexingReport
    from search_api.schemas.evidence import EvidenceSchema
    from siamese.calibration import Calibration
    from siamese.evaluation import Evaluation
    from siamese.heads import HeadsRecord
    from siamese.splits import Split
    from siamese.training import TrainingReport
    from siamese.validation import ValidationScores
    from whyalike.demo import Answered
    from whyalike.settings import Settings

UNREADABLE_SHOWN = 20
"""Files named on the terminal; `--json` has all of them."""

MEASURES = (
    ("recall_at_1", "R@1"),
    ("recall_at_5", "R@5"),
    ("map_at_r", "MAP@R"),
    ("pair_auc", "pair AUC"),
    ("pair_accuracy", "pair accuracy"),
    ("pair_auc_of_queries", "pair AUC among queries"),
)


def say_unreadable(unreadable: Sequence[tuple[str, str]]) -> None:
    """The files that were left out, with their reasons."""
    for uri, reason in unreadable[:UNREADABLE_SHOWN]:
        say(f"left out: {shown(uri)}: {reason}")
    if len(unreadable) > UNREADABLE_SHOWN:
        say(f"left out: {len(unreadable) - UNREADABLE_SHOWN} more")


def say_notes(evidence: Sequence[EvidenceSchema]) -> None:
    """What is to be known of maps that are not those of the pictures that were indexed, once each."""
    notes = Counter(each.matched.note for each in evidence if each.matched.note)
    for note, count in notes.items():
        say(f"{count} of {len(evidence)} matches: {note}")


def print_indexing(report: IndexingReport) -> None:
    """What became of the files."""
    state = "published" if report.published else "unchanged"
    out().print(Text(f"{report.gallery}: build {report.build}, {state}, {report.images} images"))
    counts = ("added", "changed", "moved", "relabelled", "removed", "unchanged", "duplicates")
    numbers = [*((name, getattr(report, name)) for name in counts), ("unreadable", len(report.unreadable))]
    facts = [(name, str(number)) for name, number in numbers if number]
    pace = f"{report.embedded} in {report.seconds:.1f} s"
    facts += [
        ("embedded", pace),
        ("local embeddings", report.local_embeddings),
        ("encoder", f"{report.encoder_name} ({short(report.fingerprint)})"),
        *index_facts(report.index),
    ]
    print_facts(facts)


def print_preview(report: RehearsalReport) -> None:
    """What a run would do with the files."""
    state = "not published yet" if report.build is None else f"build {report.build}"
    out().print(Text(f"{report.gallery}: {state}; a run would change this"))
    names = ("added", "changed", "moved", "relabelled", "removed", "unchanged", "to_embed")
    print_facts([(name.replace("_", " "), str(getattr(report.changes, name))) for name in names])


def print_training(report: TrainingReport, split: Split, curves: Path, *, seconds: float) -> None:
    """What was learned from, how it went, and what distances now mean."""
    from whyalike.split_summary import split_facts

    best = next((each for each in report.history if each.epoch == report.best_epoch), None)
    facts = [
        ("checkpoint", str(report.checkpoint)),
        ("encoder", f"{report.record.name} ({short(report.record.fingerprint)})"),
        *split_facts(split),
        ("best epoch", f"{report.best_epoch} of {len(report.history)}"),
        ("validation", _scores(best.validation if best else None)),
        ("calibration", _calibrated(report.record.calibration)),
        ("for searches", _calibrated(report.record.shown)),
        ("heads", _heads(report.record.heads)),
        ("time", f"{seconds:.0f} s"),
        ("curves", str(curves)),
    ]
    print_facts(facts)
    for each in split.conflicts:
        say(f"conflict, left out: {each.uri} has the bytes of a file with another label")
    for note in report.notes:
        say(f"note: {note}")


def print_demo(
    answered: Sequence[Answered], evaluation: Evaluation, figures: Sequence[Path], settings: Settings
) -> None:
    """One search for each digit, how well all of them went, and what to do next."""
    from whyalike.demo import GALLERY

    headings = ("held-out digit", "nearest", "similarity", "probability", "verdict")
    print_rows(headings, [_nearest_cells(each) for each in answered])
    sizes = evaluation.sizes
    asked = f"{sizes['queries']} held-out digits against {sizes['references']}"
    facts = [(heading, f"{getattr(evaluation, name):.4f}") for name, heading in MEASURES[:5]]
    facts += [("measured on", asked), *(("picture", str(figure)) for figure in figures)]
    facts += [
        ("search", f"whyalike search {shlex.quote(answered[-1].query.uri or '')} --gallery {GALLERY}"),
        ("service", f"whyalike serve, then open http://{settings.serve.host}:{settings.serve.port}"),
    ]
    print_facts(facts)


def _nearest_cells(answered: Answered) -> tuple[str, ...]:
    nearest = answered.nearest
    return (
        answered.label,
        nearest.label or UNKNOWN,
        f"{nearest.similarity:.3f}",
        share(nearest.probability),
        nearest.verdict or UNKNOWN,
    )


def _scores(scores: ValidationScores | None) -> str:
    """The validation scores of an epoch in one line."""
    if scores is None:
        return UNKNOWN
    numbers = {"R@1": scores.recall_at_1, "MAP@R": scores.map_at_r, "pair AUC": scores.pair_auc}
    return ", ".join(f"{name} {number:.4f}" for name, number in numbers.items() if number is not None)


def _heads(heads: HeadsRecord | None) -> str:
    """Which heads stand beside the encoder, and what the pair head is worth."""
    if heads is None:
        return UNKNOWN
    classes = f"; class head of {len(heads.labels)} labels" if heads.classes else ""
    if heads.balanced_accuracy is None:
        return f"no pair head: {heads.reason}{classes}"
    accuracy = f"balanced accuracy {heads.balanced_accuracy:.4f} on {heads.pairs} validation pairs"
    return f"pair head, {accuracy}{classes}"


def _calibrated(calibration: Calibration) -> str:
    """What a distance means now, or why nobody knows."""
    if calibration.threshold is None:
        return f"no probability and no verdict: {calibration.reason}"
    kind = "shown" if calibration.fitted_on == "shown" else "validation"
    return (
        f"same up to distance {calibration.threshold:.3f}, "
        f"balanced accuracy {calibration.balanced_accuracy:.4f} on {calibration.pairs} {kind} pairs"
    )
