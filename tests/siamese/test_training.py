from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from siamese import checkpoint
from siamese.batches import Batch
from siamese.bodies import build_body
from siamese.course import Course
from siamese.embedded_samples import EmbeddedSamples, embed_samples
from siamese.encoder import Encoder
from siamese.errors import (
    CheckpointError,
    CheckpointNotFound,
    OutOfMemory,
    TrainingDiverged,
    UnusableData,
)
from siamese.evaluation import evaluate, try_encoder
from siamese.learner import Learner
from siamese.phases import BodyPhase
from siamese.preprocessing import Preprocessing
from siamese.samples import Sample
from siamese.splits import Split, given_split, stratified_split
from siamese.training import TrainingReport, train
from siamese.training_config import LOSS_NAMES, LossName, TrainingConfig
from siamese.training_state import read_state
from siamese.validation import ValidationScores
from tests.siamese.samples import write, written
from tests.toys import noise, png

T = TypeVar("T")


def tiny(**chosen: Any) -> TrainingConfig:
    """The smallest training that is still a training."""
    recipe: dict[str, Any] = {
        "preprocessing": Preprocessing(image_size=16),
        "dimension": 8,
        "epochs": 3,
        "batch_size": 16,
    }
    return TrainingConfig.from_scratch(**(recipe | chosen))


def pretrained(folder: Path) -> str:
    """A file of weights for the small body, as if somebody had trained it."""
    torch.manual_seed(3)
    path = folder / "small.pth"
    torch.save(build_body("small", weights="none").state_dict(), path)
    return str(path)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    return written(tmp_path_factory.mktemp("data"), per_label=12)


@pytest.fixture(scope="module")
def split(samples: list[Sample]) -> Split:
    return stratified_split(samples, test=0.17, validation=0.33)


class InterruptError(Exception):
    pass


class Interrupting:
    """A progress that stops the training in the middle of an epoch, as Ctrl-C would."""

    def __init__(self, epoch: int) -> None:
        self.at = f"epoch {epoch}"

    def track(self, iterable: Iterable[T], *, description: str, total: int | None = None) -> Iterator[T]:
        for done, one in enumerate(iterable):
            if description == self.at and done == 1:
                raise InterruptError
            yield one

    def say(self, line: str) -> None:
        pass


def test_a_trained_encoder_finds_and_tells_apart_what_it_was_not_trained_on(
    samples: list[Sample], split: Split, tmp_path: Path
) -> None:
    train(samples, split, tiny(), tmp_path, device="cpu")
    encoder = Encoder.load(tmp_path, device="cpu")
    evaluation = evaluate(try_encoder(encoder, samples), calibration=encoder.calibration)
    assert evaluation.protocol == "held-out"
    assert evaluation.recall_at_1 == 1.0
    assert evaluation.pair_auc is not None
    assert evaluation.pair_auc > 0.95


def test_the_checkpoint_carries_what_it_was_made_of(
    samples: list[Sample], split: Split, tmp_path: Path
) -> None:
    config = tiny()
    report = train(samples, split, config, tmp_path, device="cpu")
    record = checkpoint.load_record(tmp_path)
    assert record == report.record
    assert record.training is not None
    assert TrainingConfig.model_validate(record.training["config"]) == config
    assert Split.model_validate(record.split) == split
    assert record.calibration.threshold is not None
    assert record.shown.pairs == 16 * 10
    assert [epoch["epoch"] for epoch in record.training["history"]] == [1, 2, 3]
    assert report.sizes == {"train": 24, "validation": 16, "test": 8, "labels": 4}
    named = {"epoch", "loss", "learning_rate", "map_at_r", "recall_at_1", "pair_auc"}
    assert set(report.curves()[0]) == named


def test_the_weights_of_the_best_epoch_are_kept_also_where_it_is_not_the_last(
    samples: list[Sample], split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates, embeddings = iter([0.4, 0.9, 0.3]), []

    def judged(embedded: EmbeddedSamples) -> ValidationScores:
        embeddings.append(embedded.embeddings)
        return ValidationScores(map_at_r=next(rates), recall_at_1=0.5, pair_auc=0.5)

    monkeypatch.setattr("siamese.learning_data.validation_scores", judged)
    report = train(samples, split, tiny(), tmp_path, device="cpu")
    assert report.best_epoch == 2 < len(report.history)
    places = {sample.uri: sample for sample in samples}
    validation = [places[file.uri] for file in split.usable("validation")]
    kept = embed_samples(Encoder.load(tmp_path, device="cpu"), validation).embeddings
    assert [np.array_equal(kept, of_epoch) for of_epoch in embeddings] == [False, True, False]


def test_the_same_seed_gives_the_same_fingerprint_and_another_seed_another(
    samples: list[Sample], split: Split, tmp_path: Path
) -> None:
    runs = {"first": 1, "again": 1, "other": 2}
    records = {
        name: train(samples, split, tiny(seed=seed), tmp_path / name, device="cpu").record
        for name, seed in runs.items()
    }
    first, again, other = (
        (record.fingerprint, record.heads and record.heads.digest) for record in records.values()
    )
    assert first == again
    assert first[0] != other[0] and first[1] != other[1]


@pytest.mark.parametrize("interrupted_in", [1, 2, 3, 4, 5])
def test_a_resumed_training_ends_in_the_same_bits(
    samples: list[Sample], split: Split, tmp_path: Path, interrupted_in: int
) -> None:
    config = tiny(head_epochs=2, trainable=2, schedule="plateau", ema=0.9, weights=pretrained(tmp_path))
    whole = train(samples, split, config, tmp_path / "whole", device="cpu")
    with pytest.raises(InterruptError):
        train(samples, split, config, tmp_path / "cut", device="cpu", progress=Interrupting(interrupted_in))
    resume = interrupted_in > 1
    cut = train(samples, split, config, tmp_path / "cut", device="cpu", resume=resume)
    assert cut.record.fingerprint == whole.record.fingerprint
    assert cut.record.calibration == whole.record.calibration
    assert cut.record.heads == whole.record.heads
    assert [epoch.numbers() for epoch in cut.history] == [epoch.numbers() for epoch in whole.history]


def test_a_finished_training_leaves_no_state_and_nothing_to_resume(
    samples: list[Sample], split: Split, tmp_path: Path
) -> None:
    train(samples, split, tiny(epochs=1), tmp_path, device="cpu")
    assert not (tmp_path / "training").exists()
    with pytest.raises(CheckpointNotFound, match="no interrupted training"):
        train(samples, split, tiny(epochs=1), tmp_path, device="cpu", resume=True)


def test_another_config_or_another_split_is_not_resumed(
    samples: list[Sample], split: Split, tmp_path: Path
) -> None:
    with pytest.raises(InterruptError):
        train(samples, split, tiny(), tmp_path, device="cpu", progress=Interrupting(2))
    with pytest.raises(CheckpointError, match="another config"):
        train(samples, split, tiny(epochs=9), tmp_path, device="cpu", resume=True)
    with pytest.raises(CheckpointError, match="another split"):
        train(samples, stratified_split(samples, seed=1), tiny(), tmp_path, device="cpu", resume=True)


@pytest.mark.parametrize("damage", [b"", b"not a state", b"\x00" * 400])
def test_a_damaged_training_state_is_refused_and_never_unpickled(tmp_path: Path, damage: bytes) -> None:
    state = tmp_path / "training" / "state.safetensors"
    state.parent.mkdir()
    state.write_bytes(damage)
    with pytest.raises(CheckpointError, match="damaged"):
        read_state(tmp_path)


@pytest.mark.parametrize("name", LOSS_NAMES)
def test_every_loss_trains(samples: list[Sample], split: Split, tmp_path: Path, name: LossName) -> None:
    report = train(samples, split, tiny(loss=name, epochs=2), tmp_path, device="cpu")
    validated = report.history[-1].validation
    assert validated is not None
    assert validated.recall_at_1 > 0.6


@pytest.mark.parametrize(
    ("trainable", "moving"), [("head", set()), (1, {"4"}), (2, {"3", "4"}), ("all", {"0", "1", "3", "4"})]
)
def test_only_the_asked_stages_learn_and_a_pretrained_body_keeps_its_statistics(
    samples: list[Sample], tmp_path: Path, trainable: str | int, moving: set[str]
) -> None:
    source = pretrained(tmp_path)
    config = tiny(weights=source, trainable=trainable, head_epochs=1, epochs=1, augmentation="strong")
    train(samples, given_split(samples, []), config, tmp_path, device="cpu")
    before = torch.load(source, weights_only=True)
    after = checkpoint.load_network(tmp_path)[1].body.state_dict()
    changed = [name for name in before if not torch.equal(before[name], after[name])]
    assert {name.split(".")[1] for name in changed} == moving
    assert not any("running" in name for name in changed)


def test_a_body_from_scratch_learns_its_statistics_too(samples: list[Sample], tmp_path: Path) -> None:
    train(samples, given_split(samples, []), tiny(epochs=1), tmp_path, device="cpu")
    state = checkpoint.load_network(tmp_path)[1].body.state_dict()
    assert all(tensor.abs().max() > 0 for name, tensor in state.items() if "running_mean" in name)


def test_a_padded_picture_trains_as_well(samples: list[Sample], split: Split, tmp_path: Path) -> None:
    config = tiny(preprocessing=Preprocessing(image_size=16, fit="pad"), augmentation="strong", head_epochs=1)
    report = train(samples, split, config, tmp_path, device="cpu")
    assert report.history[-1].validation is not None
    assert report.history[-1].validation.recall_at_1 > 0.9


def test_training_stops_when_validation_has_stopped_gaining(
    samples: list[Sample], split: Split, tmp_path: Path
) -> None:
    report = train(samples, split, tiny(epochs=40, patience=2), tmp_path, device="cpu")
    scores = [epoch.validation.deciding for epoch in report.history if epoch.validation]
    assert len(report.history) == scores.index(max(scores)) + 1 + 2 < 40


def test_of_epochs_that_find_everything_the_last_is_kept(
    samples: list[Sample], split: Split, tmp_path: Path
) -> None:
    report = train(samples, split, tiny(epochs=3), tmp_path, device="cpu")
    assert [epoch.validation.deciding for epoch in report.history if epoch.validation][1:] == [1.0, 1.0]
    assert report.best_epoch == 3


def test_without_validation_the_last_epoch_is_kept_and_nothing_is_calibrated(
    samples: list[Sample], tmp_path: Path
) -> None:
    report = train(samples, given_split(samples, []), tiny(), tmp_path, device="cpu")
    assert report.best_epoch == 3
    assert report.record.calibration.threshold is None
    assert report.record.calibration.reason == "there were no validation images"
    assert any("no validation images" in note for note in report.notes)


def test_an_unreadable_image_is_reported_and_left_out(samples: list[Sample], tmp_path: Path) -> None:
    broken = [write(tmp_path / "more", "red/broken.png", b"no picture")]
    split = given_split([*samples, *broken], [])
    report = train([*samples, *broken], split, tiny(epochs=1), tmp_path / "out", device="cpu")
    assert [uri for uri, _ in report.unreadable] == ["red/broken.png"]


def test_one_label_is_refused_before_anything_is_built(tmp_path: Path) -> None:
    samples = [write(tmp_path, f"only/{n}.png", png(noise(n))) for n in range(4)]
    with pytest.raises(UnusableData, match="at least two labels"):
        given_split(samples, [])


def test_a_loss_that_is_no_number_any_more_is_refused_with_a_way_out(
    samples: list[Sample], split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Learner, "learn", lambda *_: [float("nan")])
    with pytest.raises(TrainingDiverged, match="learning rates below"):
        train(samples, split, tiny(), tmp_path, device="cpu")


def test_torchs_generator_is_given_back_as_it_was(
    samples: list[Sample], split: Split, tmp_path: Path
) -> None:
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    train(samples, split, tiny(epochs=1), tmp_path, device="cpu")
    assert torch.equal(torch.rand(3), expected)


def crowded(monkeypatch: pytest.MonkeyPatch, *, room: int) -> list[int]:
    """A device that holds so many images; returns the sizes of the batches that fitted, as they come."""
    sizes: list[int] = []
    roomy = BodyPhase.embed

    def embed(phase: BodyPhase, batch: Batch) -> Tensor:
        if len(batch) > room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        sizes.append(len(batch))
        return roomy(phase, batch)

    monkeypatch.setattr(BodyPhase, "embed", embed)
    return sizes


def test_out_of_memory_halves_the_batch_and_no_image_is_left_out(
    samples: list[Sample], split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = crowded(monkeypatch, room=5)
    report = train(samples, split, tiny(images_per_label=2), tmp_path, device="cpu")
    assert max(sizes) == 4
    assert sum(sizes) == 3 * 24
    assert any("halved 2 times" in note for note in report.notes)
    assert report.history[-1].validation is not None


def test_a_device_without_room_for_the_smallest_batch_is_named(
    samples: list[Sample], split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowded(monkeypatch, room=1)
    with pytest.raises(OutOfMemory, match="cpu has no memory left for a batch of 4"):
        train(samples, split, tiny(), tmp_path, device="cpu")


def test_both_halves_of_a_batch_keep_two_labels() -> None:
    for labels in ([0, 0, 1, 1, 2, 2, 3, 3], [0, 0, 0, 0, 1, 1, 1, 1]):
        batch = Batch(torch.arange(8), None, torch.tensor(labels))
        halves = batch.halves()
        assert sorted(torch.cat([half.inputs for half in halves]).tolist()) == list(range(8))
        assert all(len(torch.unique(half.labels)) == 2 for half in halves)


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"trainable": 0}, "from 1 on"),
        ({"images_per_label": 20, "batch_size": 32}, "at least two labels"),
        ({"loss": "supcon", "margin": 0.5}, "has no margin"),
        ({"epochs": 0, "head_epochs": 0}, "at least one epoch"),
        ({"los": "supcon"}, "los"),
        ({"loss": "cosine"}, "contrastive"),
        ({"loss": "softmax", "class_head": 0}, "class_head above 0"),
        ({"ema": 1.0}, "less than 1"),
    ],
)
def test_a_config_that_makes_no_sense_is_refused_with_what_would(chosen: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        TrainingConfig(**chosen)


def test_the_report_and_the_config_survive_their_record(
    samples: list[Sample], split: Split, tmp_path: Path
) -> None:
    report = train(samples, split, tiny(epochs=1), tmp_path, device="cpu")
    assert TrainingReport.model_validate_json(report.model_dump_json()) == report


def test_the_state_is_written_after_every_epoch(
    samples: list[Sample], split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    keep = Course._keep

    def keeping(course: Course, learner: Learner, loss: float, *, seconds: float) -> None:
        keep(course, learner, loss, seconds=seconds)
        seen.append(read_state(tmp_path)[0].epochs)

    monkeypatch.setattr(Course, "_keep", keeping)
    train(samples, split, tiny(), tmp_path, device="cpu")
    assert seen == [1, 2, 3]


def test_both_heads_are_learned_and_kept_with_what_they_were_calibrated_on(
    samples: list[Sample], split: Split, tmp_path: Path
) -> None:
    told = train(samples, split, tiny(epochs=6), tmp_path, device="cpu").record.heads
    encoder = Encoder.load(tmp_path, device="cpu")
    pair, classes = encoder.heads.pair, encoder.heads.classes
    assert told and pair and classes
    assert told.labels == classes.labels == ("blue", "green", "red", "yellow")
    assert told.pairs > 20 and told.balanced_accuracy is not None and told.balanced_accuracy > 0.9
    test = embed_samples(encoder, [one for one in samples if one.uri in {f.uri for f in split.test}])
    assert [classes.label_of(row)[0] for row in test.embeddings] == test.labels.tolist()
    same = test.labels[:, None] == test.labels
    chances = pair.probabilities(test.embeddings[:, None], test.embeddings)
    assert ((chances > 0.5) == same).mean() > 0.9


def test_without_validation_there_is_no_pair_head_and_the_record_says_why(
    samples: list[Sample], tmp_path: Path
) -> None:
    record = train(samples, given_split(samples, []), tiny(class_head=0), tmp_path, device="cpu").record
    assert record.heads and record.heads.reason and "no validation images" in record.heads.reason
    heads = checkpoint.load_heads(tmp_path, record)
    assert (heads.pair, heads.classes) == (None, None)


@pytest.mark.parametrize("optimizer", ["adamw", "adam", "sgd"])
def test_every_optimizer_learns_and_resumes(
    samples: list[Sample], split: Split, tmp_path: Path, optimizer: str
) -> None:
    rates = {"rate": 0.1, "body_rate": 0.1} if optimizer == "sgd" else {}
    config = tiny(optimizer=optimizer, **rates)
    whole = train(samples, split, config, tmp_path / "whole", device="cpu")
    assert whole.history[-1].loss < whole.history[0].loss
    with pytest.raises(InterruptError):
        train(samples, split, config, tmp_path / "cut", device="cpu", progress=Interrupting(3))
    cut = train(samples, split, config, tmp_path / "cut", device="cpu", resume=True)
    assert cut.record.fingerprint == whole.record.fingerprint
