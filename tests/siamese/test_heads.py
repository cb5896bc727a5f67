from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from siamese import checkpoint
from siamese.encoder import Encoder
from siamese.errors import CheckpointError
from siamese.heads import ClassHead, Heads, HeadsRecord, PairHead
from tests.toys import fitted_at, mean_colour_checkpoint

RED, BLUE = np.array([1, 0, 0], np.float32), np.array([0, 0, 1], np.float32)


def heads(bias: float = 0.5) -> Heads:
    pair = PairHead(np.float32([-1, -2, -3]), np.float32([4, 5, 6]), bias)
    classes = ClassHead(("blue", "red"), np.float32([[0, 0, 2], [2, 0, 0]]), np.float32([0, 1]))
    return Heads(pair, classes)


def with_heads(path: Path, chosen: Heads) -> checkpoint.CheckpointRecord:
    """The mean-colour checkpoint with these heads."""
    record, network = checkpoint.load_network(mean_colour_checkpoint(path))
    told = record.model_copy(update={"heads": HeadsRecord.of(chosen, pairs=20, balanced_accuracy=0.9)})
    return checkpoint.save(path, network, told, heads=chosen)


def test_a_pair_heads_logit_is_that_computed_by_hand() -> None:
    pair = heads().pair
    assert pair is not None
    assert pair.logits(RED, RED) == 4 + 0.5
    assert pair.logits(RED, BLUE) == -1 - 3 + 0.5
    assert pair.probabilities(RED, BLUE) == pytest.approx(1 / (1 + np.exp(3.5)))


def test_neither_image_of_a_pair_comes_first_and_many_are_judged_at_once() -> None:
    pair = heads().pair
    assert pair is not None
    generator = np.random.default_rng(0)
    query, matched = generator.normal(size=(2, 7, 3)).astype(np.float32)
    assert (pair.logits(query, matched) == pair.logits(matched, query)).all()
    assert pair.logits(query[:, None], matched).shape == (7, 7)
    assert pair.logits(query[:, None], matched)[2, 5] == pair.logits(query[2], matched[5])


def test_a_probability_is_never_infinite_nor_a_warning() -> None:
    extreme = PairHead(np.float32([-1e4]), np.float32([1e4]), 0.0)
    one, other = np.float32([1]), np.float32([-1])
    with np.errstate(all="raise", under="ignore"):
        assert extreme.probabilities(one, one) == 1.0
        assert extreme.probabilities(one, other) == 0.0


def test_a_rescaled_head_has_rescaled_logits() -> None:
    pair = heads().pair
    assert pair is not None
    assert pair.rescaled(2.0, -1.0).logits(RED, BLUE) == pytest.approx(2 * pair.logits(RED, BLUE) - 1)


def test_a_class_head_names_the_most_probable_label_with_its_softmax_probability() -> None:
    classes = heads().classes
    assert classes is not None
    label, probability = classes.label_of(RED)
    assert (label, probability) == ("red", pytest.approx(np.exp(3) / (np.exp(3) + 1)))
    assert classes.logits(np.stack([RED, BLUE])).tolist() == [[0, 3], [2, 1]]


@pytest.mark.parametrize(
    "made",
    [
        lambda: PairHead(np.zeros(3, np.float32), np.zeros(2, np.float32), 0.0),
        lambda: PairHead(np.full(3, np.nan, np.float32), np.zeros(3, np.float32), 0.0),
        lambda: ClassHead((), np.zeros((0, 3), np.float32), np.zeros(0, np.float32)),
        lambda: ClassHead(("a", "a"), np.zeros((2, 3), np.float32), np.zeros(2, np.float32)),
        lambda: ClassHead(("a",), np.zeros((2, 3), np.float32), np.zeros(2, np.float32)),
        lambda: Heads(PairHead(np.zeros(2, np.float32), np.zeros(2, np.float32), 0.0), heads().classes),
    ],
)
def test_heads_that_make_no_sense_are_refused(made: object) -> None:
    with pytest.raises(ValueError):
        made()  # type: ignore[operator]


def test_heads_travel_with_the_checkpoint_and_never_change_its_fingerprint(tmp_path: Path) -> None:
    without = checkpoint.load_record(mean_colour_checkpoint(tmp_path))
    record = with_heads(tmp_path, heads())
    assert record.fingerprint == without.fingerprint
    again = Encoder.load(tmp_path, device="cpu")
    assert again.heads.digest == heads().digest == checkpoint.load_heads(tmp_path, again.record).digest
    assert again.heads.pair and again.heads.pair.logits(RED, BLUE) == -3.5
    assert again.record.heads and again.record.heads.labels == ("blue", "red")


def test_a_checkpoint_without_heads_has_none(tmp_path: Path) -> None:
    encoder = Encoder.load(mean_colour_checkpoint(tmp_path), device="cpu")
    assert (encoder.heads.pair, encoder.heads.classes, encoder.record.heads) == (None, None, None)


def test_a_new_calibration_keeps_the_heads(tmp_path: Path) -> None:
    record = with_heads(tmp_path, heads())
    after = checkpoint.with_calibration(tmp_path, fitted_at(0.5), shown=record.shown)
    assert checkpoint.load_heads(tmp_path, after).digest == heads().digest


def test_other_heads_replace_the_older_file(tmp_path: Path) -> None:
    with_heads(tmp_path, heads(bias=1.0))
    record = with_heads(tmp_path, heads(bias=2.0))
    assert record.heads
    assert [path.name for path in tmp_path.glob("heads-*")] == [record.heads.file]


def test_a_record_that_was_read_never_gets_the_heads_of_what_replaced_it(tmp_path: Path) -> None:
    before = with_heads(tmp_path, heads(bias=1.0))
    with_heads(tmp_path, heads(bias=2.0))
    with pytest.raises(CheckpointError, match="missing"):
        checkpoint.load_heads(tmp_path, before)


def test_heads_that_the_record_does_not_describe_are_not_written(tmp_path: Path) -> None:
    record, network = checkpoint.load_network(mean_colour_checkpoint(tmp_path))
    with pytest.raises(ValueError, match="other heads"):
        checkpoint.save(tmp_path, network, record, heads=heads())


def test_damaged_foreign_or_missing_heads_are_refused_in_one_sentence(tmp_path: Path) -> None:
    record = with_heads(tmp_path / "c", heads())
    foreign = with_heads(tmp_path / "foreign", heads(bias=9.0))
    assert record.heads and foreign.heads
    file = tmp_path / "c" / record.heads.file
    whole, other = file.read_bytes(), (tmp_path / "foreign" / foreign.heads.file).read_bytes()
    for data in (whole[:-4], whole[:40], b"", b"nonsense" * 20, other):
        file.write_bytes(data)
        with pytest.raises(CheckpointError, match="heads") as refusal:
            checkpoint.load_heads(tmp_path / "c", record)
        assert "\n" not in str(refusal.value)
    file.unlink()
    with pytest.raises(CheckpointError, match="missing or damaged"):
        Encoder.load(tmp_path / "c", device="cpu")


def test_reading_heads_loads_no_torch() -> None:
    program = "import sys, siamese.heads; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
