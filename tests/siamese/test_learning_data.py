from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from siamese.bodies import build_body
from siamese.embedded_samples import EmbeddedSamples
from siamese.errors import UnreadableImage, UnusableData
from siamese.features import pooled_features
from siamese.images import DEFAULT_LIMITS
from siamese.learning_data import LearningData, read_learning_data
from siamese.network import EncoderNetwork
from siamese.pictures import Pictures, read_pictures
from siamese.preprocessing import Preprocessing
from siamese.progress import Silent
from siamese.samples import Sample
from siamese.splits import Split, given_split, stratified_split
from siamese.units import Ties, apart
from tests.siamese.samples import write, written
from tests.toys import noise, png

SMALL = Preprocessing(image_size=16)


def pictures(samples: list[Sample], *, fit: str = "crop", budget: int = 2**20) -> tuple[Pictures, list[str]]:
    preprocessing = Preprocessing.model_validate({"image_size": 16, "fit": fit})
    kept, unreadable = read_pictures(
        samples, preprocessing=preprocessing, limits=DEFAULT_LIMITS, progress=Silent(), budget=budget
    )
    return kept, [one.sample.uri for one in unreadable]


def learning_data(samples: list[Sample], split: Split) -> LearningData:
    return read_learning_data(samples, split, preprocessing=SMALL, limits=DEFAULT_LIMITS, progress=Silent())


def test_what_cannot_be_read_is_reported_and_the_rest_keeps_its_order(tmp_path: Path) -> None:
    good = [write(tmp_path, f"a/{number}.png", png(noise(number))) for number in range(4)]
    bad = [write(tmp_path, "a/empty.png", b""), write(tmp_path, "a/text.png", b"hello")]
    kept, unreadable = pictures([good[0], bad[0], good[1], good[2], bad[1], good[3]])
    assert kept.samples == tuple(good)
    assert unreadable == ["a/empty.png", "a/text.png"]


def test_pictures_beyond_the_budget_are_read_again_and_are_the_same(tmp_path: Path) -> None:
    samples = [write(tmp_path, f"a/{number}.png", png(noise(number))) for number in range(3)]
    in_memory, _ = pictures(samples)
    on_disk, _ = pictures(samples, budget=0)
    assert on_disk.pixels == (None, None, None)
    for position in range(3):
        assert in_memory.picture(position) == on_disk.picture(position)


def test_a_file_that_has_gone_meanwhile_is_named_as_unreadable(tmp_path: Path) -> None:
    samples = [write(tmp_path, "a/1.png", png(noise(1)))]
    kept, _ = pictures(samples, budget=0)
    samples[0].path.unlink()
    with pytest.raises(UnreadableImage, match="not there"):
        kept.picture(0)


def test_other_bytes_than_were_listed_are_not_learned_from(tmp_path: Path) -> None:
    samples = [write(tmp_path, f"a/{number}.png", png(noise(number))) for number in range(3)]
    kept, _ = pictures(samples, budget=0)
    samples[1].path.write_bytes(png(noise(9)))
    with pytest.raises(UnreadableImage, match="changed since it was listed"):
        kept.picture(1)
    assert pictures(samples)[1] == ["a/1.png"]


class Cramped(EncoderNetwork):
    """A network on a device that holds three images."""

    def feature_map(self, x: Tensor) -> Tensor:
        if len(x) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return super().feature_map(x)


def features(samples: list[Sample]) -> Tensor:
    network = EncoderNetwork(build_body("mean_colour", weights="none"), nn.Linear(3, 2))
    return pooled_features(
        network, samples, preprocessing=SMALL, mirrored=True, limits=DEFAULT_LIMITS, progress=Silent()
    )


def test_features_are_computed_in_halves_where_memory_runs_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = [write(tmp_path, f"a/{number}.png", png(noise(number))) for number in range(11)]
    whole = features(samples)
    monkeypatch.setattr("siamese.features.EncoderNetwork", Cramped)
    assert whole.shape == (11, 2, 3) and torch.allclose(features(samples), whole)


@pytest.mark.parametrize("fit", ["crop", "pad"])
@pytest.mark.parametrize("size", [(8, 8), (300, 200), (2000, 4), (3, 900)])
def test_pictures_are_kept_a_little_larger_than_the_encoders_square(
    tmp_path: Path, fit: str, size: tuple[int, int]
) -> None:
    kept, _ = pictures([write(tmp_path, "a/1.png", png(noise(1, size=size)))], fit=fit)
    shrunk = kept.picture(0)
    assert max(shrunk.size) <= 4 * 18.4 + 1
    if max(size) < 4 * min(size):
        reference = min(shrunk.size) if fit == "crop" else max(shrunk.size)
        assert reference == 18


def test_an_unreadable_image_is_left_out_of_training_and_of_validation(tmp_path: Path) -> None:
    train = [*written(tmp_path / "train", per_label=3), write(tmp_path / "train", "red/bad.png", b"no")]
    validation = [
        *written(tmp_path / "val", per_label=2, seed=1),
        write(tmp_path / "val", "red/worse.png", b"none"),
    ]
    data = learning_data([*train, *validation], given_split(train, validation))
    assert len(data.pictures) == 12
    assert len(data.validation) == 8
    assert [one.sample.uri for one in data.unreadable] == ["red/bad.png", "red/worse.png"]


def test_no_two_validation_images_of_one_unit_validate_each_other(tmp_path: Path) -> None:
    train = written(tmp_path / "train", per_label=2)
    validation = written(tmp_path / "val", per_label=4, seed=1)
    near = tuple((validation[n].checksum, validation[n + 1].checksum) for n in range(0, 16, 2))
    split = given_split(train, validation, ties=Ties(near_duplicates=near))
    data = learning_data([*train, *validation], split)
    embedded = EmbeddedSamples(data.validation, np.eye(16, dtype=np.float32))
    assert data.scores(embedded) is not None
    pairs = data.judged(embedded)
    names = apart(data.validation, split.units())
    assert len(pairs) and (names[pairs.queries] != names[pairs.references]).all()


def test_labels_are_numbered_in_their_sorted_order(tmp_path: Path) -> None:
    samples = written(tmp_path, per_label=4, labels=3)
    data = learning_data(samples, given_split(samples, []))
    names = sorted({sample.label for sample in samples})
    assert [names[number] for number in data.numbers] == [sample.label for sample in data.pictures.samples]


def test_what_the_data_makes_impossible_is_said_in_sentences(tmp_path: Path) -> None:
    samples = [*written(tmp_path, per_label=3, labels=2), write(tmp_path, "alone/1.png", png(noise(9)))]
    samples.append(write(tmp_path, "blue/again.png", samples[0].path.read_bytes()))
    samples.append(write(tmp_path, "green/conflict.png", samples[1].path.read_bytes()))
    notes = " / ".join(learning_data(samples, given_split(samples, [])).notes)
    for said in ("'alone'", "2 files were left out: the same bytes stand under two labels", "no validation"):
        assert said in notes


def test_two_readable_images_of_one_label_are_needed(tmp_path: Path) -> None:
    samples = [write(tmp_path, f"{label}/1.png", png(noise(n))) for n, label in enumerate("abc")]
    with pytest.raises(UnusableData, match="no label has two"):
        learning_data(samples, given_split(samples, []))


def test_a_label_that_cannot_be_read_leaves_one_label_and_is_refused(tmp_path: Path) -> None:
    samples = [*written(tmp_path, per_label=3, labels=1), write(tmp_path, "red/1.png", b"broken")]
    with pytest.raises(UnusableData, match="at least two labels"):
        learning_data(samples, given_split(samples, []))


def test_a_split_of_other_files_is_refused_with_the_name_of_one(tmp_path: Path) -> None:
    samples = written(tmp_path, per_label=4)
    split = stratified_split(samples)
    with pytest.raises(UnusableData, match=r"not among the images, such as blue/0\d.png"):
        learning_data([sample for sample in samples if sample.label != "blue"], split)
