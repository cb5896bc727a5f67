"""The rows of the table in docs/results.md, each by one command: trained, evaluated, averaged over seeds.

    python benchmarks/results.py flowers --data DATA --weights FILE --out FOLDER

DATA holds the data sets' folders (docs/results.md names them); without `--weights` torchvision downloads the
body's. What FOLDER holds already is not trained again, so a run that was stopped goes on. With `--jobs N` so
many trainings run at once, each followed by its evaluation and by the baseline that is given its time.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from paper_protocol import Judged, train_and_judge

from siamese.checkpoint import RECORD_FILE, load_record
from siamese.images import DEFAULT_LIMITS
from siamese.progress import Silent
from siamese.samples import Sample
from siamese.splits import Split
from siamese.training_config import TrainingConfig
from whyalike.folders import read_folder

RECIPES = Path(__file__).parent.parent / "docs" / "recipes"
SEEDS = 3
# Heading, where `whyalike evaluate --json` has it, and what the published protocol calls it.
MEASURES = (
    ("R@1", "retrieval.recall_at_1.value", "recall_at_1"),
    ("MAP@R", "retrieval.map_at_r.value", None),
    ("pair AUC", "verification.auc.value", "pair_auc"),
    ("pair accuracy", "verification.accuracy.value", "pair_accuracy"),
    ("at similarity 0.5", "verification.accuracy_at_half.value", "accuracy_at_half"),
    ("pair AUC among queries", "among_queries.value", "pair_auc_of_queries"),
    ("ECE of shown pairs", "calibration.shown.ece.value", None),
    ("its sampling floor", "calibration.shown.ece_floor", None),
    ("shown pairs", "calibration.shown.pairs", None),
)


@dataclass(frozen=True, slots=True)
class Trained:
    """One way to train on a data set: its name, its recipe, and the options of `whyalike train`."""

    name: str
    recipe: str
    options: tuple[str, ...] = ()
    seeds: int = SEEDS


@dataclass(frozen=True, slots=True)
class Row:
    """A row: the folder to train on, the folder that asks (none: the split's test part), and the ways.

    `baseline` is with how many seeds the published protocol gets the split and the seconds of the first way.
    """

    folder: str
    ways: tuple[Trained, ...]
    queries: str | None = None
    baseline: int = 0


PAPER = ("--split", "paper", "--no-near-duplicates")
LEAK_FREE = ("--split", "paper")
BY_LISTING = ("--group-by", r"([^/]+)_\d+\.[^.]+$")
FINALIST = ("--loss", "multi-similarity", "--class-head", "0")
OWN_TEST = ("--test-share", "0")
ROWS = {
    "flowers": Row(
        "flowers",
        (
            Trained("paper", "flowers", PAPER),
            Trained("leak-free", "flowers", LEAK_FREE, seeds=1),
        ),
        baseline=1,
    ),
    "finalist": Row("flowers", (Trained("paper", "flowers", (*PAPER, *FINALIST)),)),
    "airbnb": Row(
        "airbnb",
        (Trained("by-listing", "airbnb", BY_LISTING), Trained("paper", "airbnb", PAPER, seeds=1)),
        baseline=3,
    ),
    "skin_cancer": Row(
        "skin_cancer",
        (
            Trained("paper", "skin_cancer", PAPER),
            Trained("leak-free", "skin_cancer", LEAK_FREE, seeds=1),
        ),
        baseline=1,
    ),
    "grocery": Row(
        "grocery/train",
        (
            Trained("recipe", "grocery", OWN_TEST),
            Trained("frozen", "grocery-head", OWN_TEST),
        ),
        queries="grocery/val",
    ),
    "mnist": Row("mnist/train", (Trained("recipe", "mnist", OWN_TEST),), queries="mnist/test"),
}


@dataclass(frozen=True, slots=True)
class Measured:
    """A training: what `whyalike evaluate --json` says of it, and what the published protocol comes to."""

    evaluation: dict[str, Any]
    baseline: Judged | None


def measured(row: Row, way: Trained, seed: int, wanted: argparse.Namespace) -> Measured:
    """Train, evaluate, and give the published protocol the same time where that is asked for.

    Beside the checkpoint, files of its name keep the seconds, the evaluation and the baseline.
    """
    checkpoint: Path = wanted.out / f"{wanted.row}-{way.name}-{seed}"
    if not (checkpoint / RECORD_FILE).exists():
        _train(row, way, checkpoint, seed, wanted)
    evaluation = _evaluate(row, checkpoint, wanted)
    checkpoint.with_suffix(".json").write_text(json.dumps(evaluation))
    compared = way == row.ways[0] and seed < row.baseline
    return Measured(evaluation, _baseline(row, checkpoint, seed, wanted) if compared else None)


def _train(row: Row, way: Trained, out: Path, seed: int, wanted: argparse.Namespace) -> None:
    options = ["--config", str(RECIPES / f"{way.recipe}.toml"), "--seed", str(seed), *way.options]
    weights = ["--weights", str(wanted.weights)] if wanted.weights and way.recipe != "mnist" else []
    resumed = ["--resume"] if (out / "training").exists() else []
    started = time.monotonic()
    _whyalike("train", str(wanted.data / row.folder), "--out", str(out), *options, *weights, *resumed)
    if not resumed:
        _seconds(out).write_text(f"{time.monotonic() - started:.0f}")


def _seconds(checkpoint: Path) -> Path:
    """Where it is kept how long the training took, everything in it."""
    return checkpoint.with_suffix(".seconds")


def _evaluate(row: Row, checkpoint: Path, wanted: argparse.Namespace) -> dict[str, Any]:
    asking = ["--queries", str(wanted.data / row.queries)] if row.queries else []
    printed = _whyalike("evaluate", str(checkpoint), str(wanted.data / row.folder), *asking, "--json")
    evaluation: dict[str, Any] = json.loads(printed)
    return evaluation


def _whyalike(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "whyalike", *arguments], stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout


def _said(name: str, evaluations: Sequence[dict[str, Any]]) -> None:
    print(f"\n{name}, {_seeds(evaluations)}")
    for heading, path, _ in MEASURES:
        values = [value for each in evaluations if (value := _at(path, each)) is not None]
        if values:
            _print_line(heading, values)


def _said_of_baseline(name: str, judged: Sequence[Judged]) -> None:
    epochs, seconds = fmean(each.epochs for each in judged), fmean(each.seconds for each in judged)
    print(f"\nthe published protocol on {name}, {_seeds(judged)}, {epochs:.1f} epochs in {seconds:.0f} s")
    for heading, _, name_there in MEASURES:
        if name_there is not None:
            _print_line(heading, [getattr(each, name_there) for each in judged])


def _seeds(runs: Sequence[object]) -> str:
    return f"{len(runs)} seeds" if len(runs) > 1 else "one seed"


def _print_line(heading: str, values: Sequence[float]) -> None:
    spread = f" ± {stdev(values):.4f}" if len(values) > 1 else ""
    print(f"  {heading:24}{fmean(values):.4f}{spread}   {'  '.join(f'{value:.4f}' for value in values)}")


def _at(path: str, evaluation: dict[str, Any]) -> float | None:
    found: Any = evaluation
    for key in path.split("."):
        found = None if found is None else found[key]
    return found  # type: ignore[no-any-return]


def _baseline(row: Row, checkpoint: Path, seed: int, wanted: argparse.Namespace) -> Judged:
    """The published protocol with the split, the body, the seed and the wall-clock time of the training."""
    kept = checkpoint.with_suffix(".baseline")
    if not kept.exists():
        samples = read_folder(wanted.data / row.folder, limits=DEFAULT_LIMITS, progress=Silent()).samples
        kept.write_text(json.dumps(asdict(_judged(samples, checkpoint, seed))))
    return Judged(**json.loads(kept.read_text()))


def _judged(samples: Sequence[Sample], checkpoint: Path, seed: int) -> Judged:
    record = load_record(checkpoint)
    assert record.training is not None and record.split is not None, "it was trained just now"
    config = TrainingConfig.model_validate(record.training["config"])
    return train_and_judge(
        samples,
        Split.model_validate(record.split),
        body=record.body,
        weights=config.weights,
        preprocessing=config.learning,
        seconds=float(_seconds(checkpoint).read_text()),
        seed=seed,
    )


def main() -> None:
    """Print one row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("row", choices=ROWS)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="at most")
    parser.add_argument("--jobs", type=int, default=1, help="trainings at once")
    wanted = parser.parse_args()
    wanted.out.mkdir(parents=True, exist_ok=True)
    row = ROWS[wanted.row]
    with ProcessPoolExecutor(wanted.jobs, mp_context=get_context("spawn")) as pool:
        started = {
            way.name: [
                pool.submit(measured, row, way, seed, wanted) for seed in range(min(way.seeds, wanted.seeds))
            ]
            for way in row.ways
        }
        for name, runs in started.items():
            found = [run.result() for run in runs]
            _said(name, [each.evaluation for each in found])
            if compared := [each.baseline for each in found if each.baseline]:
                _said_of_baseline(name, compared)


if __name__ == "__main__":
    main()
