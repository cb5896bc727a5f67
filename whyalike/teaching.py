"""What a training is given, folders by label or a file of pairs, and what became of it."""

from dataclasses import dataclass
from pathlib import Path

from siamese.images import ImageLimits
from siamese.labelled_pairs import LabelledPairs
from siamese.pair_split import split_pairs
from siamese.pair_training import refuse_labels_needed, train_on_pairs
from siamese.progress import Progress
from siamese.splits import Split
from siamese.training import TrainingReport, train
from siamese.training_config import TrainingConfig
from whyalike.errors import UsageError
from whyalike.folders import read_folder
from whyalike.pair_files import read_pair_file
from whyalike.splitting import SEED, SHARE, SplitOptions, choose_split, share_notes, ties_finder


@dataclass(frozen=True, slots=True)
class Running:
    """Where a training writes to, and how it is run."""

    out: Path
    device: str
    resume: bool
    limits: ImageLimits
    progress: Progress


@dataclass(frozen=True, slots=True)
class Taught:
    """A training that has ended, the split it was of, and what could not be read."""

    report: TrainingReport
    split: Split
    unreadable: tuple[tuple[str, str], ...]


def teach_labels(
    data: Path, val: Path | None, wanted: SplitOptions, config: TrainingConfig, running: Running
) -> Taught:
    """Trains on a folder of images by label, and validates with a part of it or with another one.

    Raises UsageError, SourceUnavailable, and what training raises.
    """
    limits, progress = running.limits, running.progress
    folders = [read_folder(path, limits=limits, progress=progress) for path in (data, val) if path]
    validating = folders[1] if val else None
    split = choose_split(folders[0], validating, wanted, limits=limits, progress=progress)
    report = train(
        [sample for folder in folders for sample in folder.samples],
        split,
        config,
        running.out,
        device=running.device,
        resume=running.resume,
        limits=limits,
        progress=progress,
    )
    report = report.model_copy(update={"notes": (*report.notes, *share_notes(split, wanted))})
    unreadable = (each for folder in folders for each in folder.unreadable)
    return Taught(report, split, (*unreadable, *report.unreadable))


def teach_pairs(
    data: Path, pairs: Path, wanted: SplitOptions, config: TrainingConfig, running: Running
) -> Taught:
    """Trains on the judged pairs of a file, of images below a folder.

    Raises UsageError, and what reading the file and training raise.
    """
    refuse_labels_needed(config)
    limits, progress = running.limits, running.progress
    judged = read_pair_file(pairs, data, limits=limits, progress=progress)
    split = _split(judged.labelled, wanted, running)
    report = train_on_pairs(
        judged.labelled,
        split,
        config,
        running.out,
        device=running.device,
        resume=running.resume,
        limits=limits,
        progress=progress,
    )
    return Taught(report, split, (*judged.unreadable, *report.unreadable))


def refuse_labels_chosen(val: Path | None, wanted: SplitOptions) -> None:
    """Raises UsageError for options of a split that only labels have."""
    chosen = {"--val": val, "--split": wanted.kind, "--hold-out-labels": wanted.hold_out_labels}
    given = [option for option, value in chosen.items() if value is not None]
    if given:
        raise UsageError(f"pairs are split by the images that they connect: leave out {', '.join(given)}")


def _split(labelled: LabelledPairs, wanted: SplitOptions, running: Running) -> Split:
    ties = ties_finder(
        group_by=wanted.group_by,
        near_duplicates=wanted.near_duplicates,
        limits=running.limits,
        progress=running.progress,
    ).find(labelled.samples)
    return split_pairs(
        labelled,
        seed=SEED if wanted.seed is None else wanted.seed,
        test=0.0 if wanted.test_share is None else wanted.test_share,  # nothing judges by pairs later
        validation=SHARE if wanted.validation_share is None else wanted.validation_share,
        ties=ties,
    )
