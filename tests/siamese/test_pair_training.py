"""Training from labelled pairs: what is learned, what is left out, what decides, what goes on."""

from __future__ import annotations

import random
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from siamese.checkpoint import load_record
from siamese.course import Course
from siamese.encoder import Encoder
from siamese.errors import CheckpointError, UnusableData
from siamese.labelled_pairs import LabelledPairs
from siamese.pair_split import split_pairs
from siamese.pair_training import PAIR_LOSSES, train_on_pairs
from siamese.preprocessing import Preprocessing
from siamese.samples import Sample
from siamese.splits import Split
from siamese.training import TrainingReport
from siamese.training_config import LOSS_NAMES, LossName, TrainingConfig
from tests.siamese.samples import write, written


def tiny(**chosen: Any) -> TrainingConfig:
    recipe: dict[str, Any] = {
        "preprocessing": Preprocessing(image_size=16),
        "dimension": 8,
        "epochs": 3,
        "batch_size": 16,
        "loss": "contrastive-paper",
        "class_head": 0.0,
    }
    return TrainingConfig.from_scratch(**(recipe | chosen))


def judged(samples: list[Sample], count: int) -> LabelledPairs:
    """So many random pairs, told same or different by their labels."""
    pairs = random.Random(0).sample(list(combinations(samples, 2)), count)
    return LabelledPairs.of((first, second, first.label == second.label) for first, second in pairs)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> LabelledPairs:
    return judged(written(tmp_path_factory.mktemp("data"), per_label=16, labels=2), 240)


@pytest.fixture(scope="module")
def split(pairs: LabelledPairs) -> Split:
    return split_pairs(pairs, test=0.1, validation=0.3)


def learned(pairs: LabelledPairs, split: Split, out: Path, **chosen: Any) -> TrainingReport:
    return train_on_pairs(pairs, split, tiny(**chosen), out, device="cpu")


def _stop_after_one(course: Course) -> bool:
    """Instead of Course._has_ended: the person presses Ctrl-C after the first epoch."""
    if course.position.epochs:
        raise KeyboardInterrupt
    return course.config.epochs_of(course.position.phase) == 0


def test_an_encoder_learns_from_pairs_and_is_calibrated_on_those_it_never_saw(
    pairs: LabelledPairs, split: Split, tmp_path: Path
) -> None:
    report = learned(pairs, split, tmp_path, epochs=6)
    scores = [epoch.validation for epoch in report.history]
    assert all(each and each.map_at_r is None and each.pair_auc for each in scores)
    assert max(each.pair_auc or 0.0 for each in scores if each) > 0.9
    assert split.pairs and report.sizes["training pairs"] == split.pairs.train
    assert report.sizes["validation pairs"] == split.pairs.validation
    calibration = report.record.calibration
    assert calibration.fitted_on == "pair" and calibration.pairs <= split.pairs.validation
    assert "no label says" in str(report.record.shown.reason)
    assert any(f"{split.pairs.lost} of {len(pairs.pairs)} pairs were left out" in n for n in report.notes)


def test_the_epoch_with_the_best_auc_of_the_validation_pairs_is_kept(
    pairs: LabelledPairs, split: Split, tmp_path: Path
) -> None:
    report = learned(pairs, split, tmp_path)
    aucs = [epoch.validation.pair_auc or 0.0 for epoch in report.history if epoch.validation]
    assert aucs[report.best_epoch - 1] == max(aucs)


@pytest.mark.parametrize("loss", PAIR_LOSSES)
@pytest.mark.parametrize("trainable", ["all", "head"])
def test_every_loss_of_pairs_teaches_both_phases(
    pairs: LabelledPairs, split: Split, tmp_path: Path, loss: LossName, trainable: str
) -> None:
    report = learned(pairs, split, tmp_path, loss=loss, trainable=trainable, epochs=2)
    assert [epoch.loss > 0 for epoch in report.history] == [True, True]
    heads = Encoder.load(tmp_path, device="cpu").heads
    assert heads.classes is None and report.record.heads is not None


@pytest.mark.parametrize("loss", sorted(set(LOSS_NAMES) - set(PAIR_LOSSES) - {"softmax"}))
def test_a_loss_that_needs_labels_is_refused_in_a_sentence(
    pairs: LabelledPairs, split: Split, tmp_path: Path, loss: LossName
) -> None:
    with pytest.raises(UnusableData, match=f"the loss {loss} needs a label of every image"):
        learned(pairs, split, tmp_path, loss=loss)


def test_a_class_head_is_refused_in_a_sentence(pairs: LabelledPairs, split: Split, tmp_path: Path) -> None:
    with pytest.raises(UnusableData, match="class head"):
        learned(pairs, split, tmp_path, class_head=1.0)


def test_identical_seeds_give_identical_fingerprints_from_pairs(
    pairs: LabelledPairs, split: Split, tmp_path: Path
) -> None:
    first, again, other = (
        learned(pairs, split, tmp_path / str(number), seed=seed, epochs=1).record.fingerprint
        for number, seed in enumerate((0, 0, 1))
    )
    assert first == again != other


def test_a_training_from_pairs_goes_on_to_the_same_bits(
    pairs: LabelledPairs, split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = learned(pairs, split, tmp_path / "whole")

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("siamese.course.Course._has_ended", lambda course, _: _stop_after_one(course))
        learned(pairs, split, tmp_path / "cut")
    resumed = train_on_pairs(pairs, split, tiny(), tmp_path / "cut", device="cpu", resume=True)
    assert resumed.record.fingerprint == whole.record.fingerprint
    assert [epoch.numbers() for epoch in resumed.history] == [epoch.numbers() for epoch in whole.history]


def test_other_pairs_of_the_same_images_are_not_resumed_with(
    pairs: LabelledPairs, split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("siamese.course.Course._has_ended", lambda course, _: _stop_after_one(course))
        learned(pairs, split, tmp_path)
    fewer = LabelledPairs.of(
        (pairs.samples[q], pairs.samples[r], bool(same))
        for q, r, same in list(
            zip(pairs.pairs.queries, pairs.pairs.references, pairs.pairs.same, strict=True)
        )[1:]
    )
    with pytest.raises(CheckpointError, match="another split"):
        train_on_pairs(
            fewer,
            split_pairs(fewer, test=0.1, validation=0.3),
            tiny(),
            tmp_path,
            device="cpu",
            resume=True,
        )


def test_the_checkpoint_records_the_parts_and_whose_pairs_they_are(
    pairs: LabelledPairs, split: Split, tmp_path: Path
) -> None:
    learned(pairs, split, tmp_path, epochs=1)
    recorded = Split.model_validate(load_record(tmp_path).split)
    assert recorded == split and recorded.pairs and recorded.pairs.digest == pairs.digest


def test_the_pairs_of_unreadable_images_are_left_out_and_said(tmp_path: Path) -> None:
    samples = written(tmp_path / "data", per_label=12, labels=2)
    broken = write(tmp_path / "data", "red/broken.png", b"no picture")
    pairs = judged([*samples, broken], 250)
    report = learned(pairs, split_pairs(pairs), tmp_path / "out", epochs=1)
    assert [uri for uri, _ in report.unreadable] == ["red/broken.png"]
    assert any("1 images cannot be read" in note for note in report.notes)
    assert report.sizes["training pairs"] < (report.record.split or {})["pairs"]["train"]


def test_without_validation_pairs_of_both_kinds_the_last_epoch_is_kept(
    pairs: LabelledPairs, tmp_path: Path
) -> None:
    report = learned(pairs, split_pairs(pairs, test=0.0, validation=0.0), tmp_path, epochs=2)
    assert report.best_epoch == 2 and report.record.calibration.fitted_on is None
    assert any("choose no epoch" in note for note in report.notes)


def test_grey_pictures_of_any_size_teach_a_small_body_from_scratch(tmp_path: Path) -> None:
    samples = written(tmp_path / "data", per_label=10, labels=2, size=100)
    for sample in samples:
        Image.open(sample.path).convert("L").save(sample.path)
    rewritten = [write(tmp_path / "data", each.uri, each.path.read_bytes()) for each in samples]
    pairs = judged(rewritten, 60)
    report = learned(
        pairs,
        split_pairs(pairs),
        tmp_path / "out",
        preprocessing=Preprocessing(image_size=100),
        margin=2.0,
        epochs=1,
    )
    assert report.record.preprocessing.image_size == 100 and report.history[0].loss > 0
