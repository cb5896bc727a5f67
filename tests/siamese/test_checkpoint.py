from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from siamese import checkpoint
from siamese.bodies import BODIES, build_body
from siamese.calibration import Calibration
from siamese.encoder import Encoder
from siamese.errors import CheckpointError, CheckpointNotFound
from siamese.files import write_durably
from siamese.fingerprint import fingerprint
from siamese.network import EncoderNetwork
from siamese.preprocessing import Preprocessing
from tests.toys import fitted_at, mean_colour_checkpoint, noise

PREPROCESSING = Preprocessing(image_size=64, fit="pad")


def random_network(body: str = "small", *, seed: int = 0) -> EncoderNetwork:
    torch.manual_seed(seed)
    built = build_body(body, weights="none")
    return EncoderNetwork(built, nn.Linear(built.channels, 8)).eval()


def written(path: Path, network: EncoderNetwork, **described: object) -> checkpoint.CheckpointRecord:
    told = {"name": "n", "calibration": Calibration.unfitted("a test"), **described}
    record = checkpoint.describe(network, preprocessing=PREPROCESSING, **told)  # type: ignore[arg-type]
    return checkpoint.save(path, network, record)


@pytest.mark.parametrize("body", BODIES)
def test_a_checkpoint_read_again_gives_bit_identical_embeddings(body: str, tmp_path: Path) -> None:
    network = random_network(body)
    record = written(tmp_path / "c", network)
    first, again = (Encoder.load(tmp_path / "c", device="cpu") for _ in range(2))
    prepared = [first.prepare(noise(1, size=(90, 40)))]
    assert first.record == record == checkpoint.load_record(tmp_path / "c")
    assert (first.embed(prepared).local_embeddings == again.embed(prepared).local_embeddings).all()
    direct = Encoder(record, network.to(memory_format=torch.channels_last), "cpu")
    assert (direct.embed(prepared).embeddings == first.embed(prepared).embeddings).all()


def test_raw_pooled_features_are_a_checkpoint_too(tmp_path: Path) -> None:
    encoder = Encoder.from_body("small", weights="none", preprocessing=PREPROCESSING, device="cpu")
    checkpoint.save(tmp_path, encoder.network, encoder.record)
    again, prepared = Encoder.load(tmp_path, device="cpu"), [encoder.prepare(noise(1))]
    assert (again.embed(prepared).embeddings == encoder.embed(prepared).embeddings).all()


def test_the_record_keeps_everything_that_is_told_of_the_encoder(tmp_path: Path) -> None:
    training, split = {"epochs": 3, "history": [0.5, 0.25]}, {"kind": "paper", "parts": {"test": []}}
    told = {"training": training, "split": split, "whitening": {"power": 0.5}, "calibration": fitted_at(0.7)}
    record = written(tmp_path, random_network(), **told)
    again = checkpoint.load_record(tmp_path)
    assert again == record
    assert (again.training, again.split, again.dimension, again.grid) == (training, split, 8, (16, 16))
    assert again.calibration.verdict(0.69) == "same"


def test_a_new_calibration_never_changes_the_fingerprint(tmp_path: Path) -> None:
    before = written(tmp_path, random_network())
    after = checkpoint.with_calibration(tmp_path, fitted_at(0.5), shown=before.shown)
    assert after.fingerprint == before.fingerprint and after.calibration == fitted_at(0.5)
    assert checkpoint.load_network(tmp_path)[0] == after


def test_search_goes_by_shown_pairs_and_without_them_by_balanced_ones(tmp_path: Path) -> None:
    record = written(tmp_path, random_network(), calibration=fitted_at(0.7))
    assert record.for_search == fitted_at(0.7) and record.shown.reason
    shown = fitted_at(0.4).model_copy(update={"fitted_on": "shown"})
    after = checkpoint.with_calibration(tmp_path, fitted_at(0.7), shown=shown)
    assert after.for_search == shown and checkpoint.load_record(tmp_path).for_search == shown
    assert after.fingerprint == record.fingerprint


def test_a_checkpoint_from_before_shown_pairs_is_still_read(tmp_path: Path) -> None:
    written(tmp_path, random_network(), calibration=fitted_at(0.7))
    record = json.loads((tmp_path / "checkpoint.json").read_bytes())
    del record["shown"]
    (tmp_path / "checkpoint.json").write_text(json.dumps(record))
    assert checkpoint.load_record(tmp_path).for_search.fitted_on == "pair"


def test_another_preprocessing_weight_statistic_or_body_is_another_fingerprint() -> None:
    network = random_network()
    seen = {fingerprint(network, PREPROCESSING), fingerprint(network, Preprocessing(image_size=64))}
    seen.add(fingerprint(random_network("squeezenet1_1"), PREPROCESSING))
    for tensor in network.state_dict().values():
        if tensor.is_floating_point():
            tensor.view(-1)[0] += 1e-3
            seen.add(fingerprint(network, PREPROCESSING))
    floating = sum(tensor.is_floating_point() for tensor in network.state_dict().values())
    assert len(seen) == 3 + floating


def test_the_same_network_has_the_same_fingerprint_in_any_layout() -> None:
    network = random_network()
    before = fingerprint(network, PREPROCESSING)
    network.body.state_dict()["features.0.1.num_batches_tracked"] += 5
    assert fingerprint(network.to(memory_format=torch.channels_last), PREPROCESSING) == before


def test_saving_over_a_checkpoint_replaces_it_and_leaves_other_files_alone(tmp_path: Path) -> None:
    written(tmp_path, random_network(seed=1))
    (tmp_path / "curves.png").write_bytes(b"x")
    record = written(tmp_path, random_network(seed=2))
    assert checkpoint.load_network(tmp_path)[0] == record
    assert {path.name for path in tmp_path.iterdir()} == {
        "checkpoint.json",
        record.weights_file,
        "curves.png",
    }


def test_a_writer_that_is_killed_leaves_the_old_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = written(tmp_path, random_network(seed=1))
    real = write_durably

    def killed_at(name: str) -> None:
        def write(path: Path, data: bytes) -> None:
            if path.name.startswith(name):
                path.with_name(f".{path.name}.half").write_bytes(data[: len(data) // 2])
                raise KeyboardInterrupt
            real(path, data)

        monkeypatch.setattr(checkpoint, "write_durably", write)

    for name in ("weights", "checkpoint"):
        killed_at(name)
        with pytest.raises(KeyboardInterrupt):
            written(tmp_path, random_network(seed=2))
        assert checkpoint.load_network(tmp_path)[0] == record


def test_where_there_is_no_checkpoint_that_is_what_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "absent", tmp_path / "file", tmp_path):
        with pytest.raises(CheckpointNotFound, match="no checkpoint at"):
            checkpoint.load_record(path)


def damaged(path: Path, **changed: object) -> None:
    record = json.loads((path / "checkpoint.json").read_text())
    (path / "checkpoint.json").write_text(json.dumps({**record, **changed}))


@pytest.mark.parametrize(
    "changed, told",
    [
        ({"format_version": 99}, "format 99"),
        ({"body": "resnet9"}, "unknown body"),
        ({"body": "small"}, "not of small"),
        ({"grid": "wide"}, "field 'grid'"),
        ({"calibration": {"slope": 1.0}}, "field 'calibration'"),
        ({"fingerprint": "0" * 64}, "lacks its weights"),
        ({"preprocessing": {"image_size": 64}}, "not those it describes"),
    ],
)
def test_a_damaged_record_is_refused_in_one_sentence(
    changed: dict[str, object], told: str, tmp_path: Path
) -> None:
    path = mean_colour_checkpoint(tmp_path / "c")
    damaged(path, **changed)
    with pytest.raises(CheckpointError, match=told) as refusal:
        checkpoint.load_network(path)
    assert "\n" not in str(refusal.value)


def test_damaged_or_foreign_files_are_refused_in_one_sentence(tmp_path: Path) -> None:
    path = mean_colour_checkpoint(tmp_path / "c")
    weights = next(path.glob("weights-*"))
    whole = weights.read_bytes()
    flipped = bytearray(whole)
    flipped[-1] ^= 1
    for data in (whole[:-4], b"", b"nonsense" * 20, bytes(flipped)):
        weights.write_bytes(data)
        with pytest.raises(CheckpointError, match="damaged") as refusal:
            checkpoint.load_network(path)
        assert "\n" not in str(refusal.value)
    for text in ("", "{", "[]", '"x"', "{}", "\xff"):
        (path / "checkpoint.json").write_text(text, encoding="latin-1")
        with pytest.raises(CheckpointError):
            checkpoint.load_record(path)


def test_a_record_of_another_network_is_not_written(tmp_path: Path) -> None:
    record = written(tmp_path, random_network(seed=1))
    with pytest.raises(ValueError, match="another network"):
        checkpoint.save(tmp_path, random_network(seed=2), record)


def test_a_checkpoint_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match="could not be written"):
        written(tmp_path / "file", random_network())


def test_toys_of_another_bias_are_other_encoders(tmp_path: Path) -> None:
    one = mean_colour_checkpoint(tmp_path / "one")
    other = mean_colour_checkpoint(tmp_path / "other", bias=(0.5, 0, 0))
    fingerprints = {checkpoint.load_record(path).fingerprint for path in (one, other)}
    assert len(fingerprints) == 2
    assert np.all([len(each) == 64 for each in fingerprints])
