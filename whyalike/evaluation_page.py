"""The evaluation page: an evaluation, its trial and the checkpoint's record become something to look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from explain.evaluation_page import EvaluationPage, Section, Stat, Stats, Table, evaluation_page
from explain.evidence_trial import EvidenceMeasures
from siamese.checkpoint import CheckpointRecord
from siamese.encoder import Encoder
from siamese.evaluation import Evaluation
from siamese.files import write_durably
from siamese.fingerprint import short
from siamese.images import ImageLimits
from siamese.splits import Split
from siamese.trial import Trial
from whyalike.evaluation_finding import finding_section, map_section
from whyalike.evaluation_pairs import apart_section, worth_section
from whyalike.evaluation_words import figures_of, measures_table
from whyalike.evidence_section import evidence_section
from whyalike.hardest_pairs import hardest_section
from whyalike.split_summary import split_facts


@dataclass(frozen=True, slots=True, eq=False)
class Evaluated:
    """Who was evaluated, on what, and what came of it."""

    encoder: Encoder
    trial: Trial
    evaluation: Evaluation
    evidence: EvidenceMeasures | None = None

    @property
    def record(self) -> CheckpointRecord:
        """What the checkpoint says of itself."""
        return self.encoder.record


def write_evaluation_page(path: Path, evaluated: Evaluated, *, limits: ImageLimits, today: date) -> None:
    """Write the page as one file, whole or not at all. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_durably(path, _page(evaluated, limits, today).encode())


def _page(evaluated: Evaluated, limits: ImageLimits, today: date) -> str:
    record, trial, evaluation = evaluated.record, evaluated.trial, evaluated.evaluation
    fingerprint = short(record.fingerprint)
    sizes = f"{len(trial.queries.samples)} queries, {len(trial.references.samples)} references"
    sections = (
        _headline(evaluation),
        finding_section(evaluation),
        apart_section(evaluation, trial, evaluated.encoder.heads),
        worth_section(evaluation, trial, record, evaluated.encoder.heads),
        *([evidence_section(evaluated.evidence)] if evaluated.evidence else ()),
        map_section(trial),
        hardest_section(evaluation, trial, evaluated.encoder, limits=limits),
        _provenance(evaluated),
    )
    return evaluation_page(
        EvaluationPage(
            title=record.name,
            subtitle=f"Fingerprint {fingerprint}, evaluated on {today.isoformat()}",
            protocol=f"{evaluation.statement[0].upper()}{evaluation.statement[1:]}: {sizes}.",
            sections=sections,
            footer="Written by WhyAlike. Every number is also in `whyalike evaluate --json`.",
        )
    )


def _headline(evaluation: Evaluation) -> Section:
    stats = tuple(
        Stat(figure.name, figure.written(measure.value), figure.interval(measure), figure.meaning)
        for figure, measure in figures_of(evaluation)
        if figure.headline
    )
    sentences = (
        "Intervals are 95 %, by resampling the query images: another draw of images would change the figures "
        "by about as much.",
    )
    return Section("In short", sentences, (Stats(stats), measures_table(evaluation)))


def _provenance(evaluated: Evaluated) -> Section:
    record = evaluated.record
    facts = [
        ("encoder", record.name),
        ("fingerprint", record.fingerprint),
        ("body", record.body),
        (
            "embedding",
            f"{record.dimension} numbers, local embeddings on a {record.grid[0]} × {record.grid[1]} grid",
        ),
        ("picture", f"{record.preprocessing.image_size} pixels, {record.preprocessing.fit}"),
    ]
    facts += [(f"training: {name}", value) for name, value in _chosen(record)]
    split = Split.model_validate(record.split) if record.split else None
    if split is not None:
        facts += [("split", f"{split.kind}, seed {split.seed}" if split.seed is not None else split.kind)]
        facts += split_facts(split)
    facts += [
        (name.replace("_", " "), str(count)) for name, count in evaluated.evaluation.sizes.items() if count
    ]
    unreadable = evaluated.evaluation.unreadable
    blocks = [Table("Encoder, split and sizes", ("what", "value"), tuple(facts))]
    if unreadable:
        blocks.append(Table(f"{len(unreadable)} files left out", ("file", "reason"), unreadable, folded=True))
    sentences = (
        "A content is in one part of a split. Duplicates are images with equal bytes; conflicts are equal "
        "bytes under two labels, which no part uses.",
    )
    return Section("What it was trained and measured on", sentences, tuple(blocks))


CHOICES = (
    "loss", "margin", "class_head", "augmentation", "trainable", "head_epochs", "epochs", "batch_size",
    "optimizer", "rate", "body_rate", "schedule", "ema", "seed",
)  # fmt: skip


def _chosen(record: CheckpointRecord) -> list[tuple[str, str]]:
    """The training's choices that a reader asks for; none where nothing was trained."""
    config = (record.training or {}).get("config", {})
    return [(name.replace("_", " "), str(config[name])) for name in CHOICES if config.get(name) is not None]
