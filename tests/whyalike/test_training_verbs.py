"""train and evaluate: the recipes, the splits, the checkpoint, the numbers."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from PIL import Image

from siamese.checkpoint import load_record
from siamese.training_config import TrainingConfig
from tests.toys import mosaic, noise, plain, png, write_folder
from tests.whyalike.conftest import Run
from whyalike.errors import UsageError
from whyalike.training import choose_config

COLOURS = ("red", "lime", "blue")
QUICK = ("--body", "small", "--image-size", 16, "--dimension", 8, "--epochs", 2, "--device", "cpu")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Twelve different pictures of each of three colours, a duplicate, a conflict and a broken file."""
    pictures = {
        f"{colour}/{number:02}.png": mosaic([[colour, colour], [colour, f"rgb({20 * number},99,99)"]], cell=8)
        for colour in COLOURS
        for number in range(12)
    }
    root = write_folder(tmp_path / "data", pictures)
    (root / "red" / "copy.png").write_bytes((root / "red" / "00.png").read_bytes())
    for colour in ("red", "blue"):
        (root / colour / "conflict.png").write_bytes(png(noise(7)))
    (root / "red" / "broken.png").write_bytes(b"no picture")
    return root


def test_training_writes_a_checkpoint_its_curves_and_a_summary(run: Run, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "encoder"
    result = run("train", data, "--out", out, *QUICK)
    assert result.exit_code == 0, result.stderr
    record = load_record(out)
    assert (record.body, record.dimension, record.preprocessing.image_size) == ("small", 8, 16)
    assert re.search(r"heads +(pair head, balanced accuracy|no pair head)", result.stdout)
    with Image.open(out / "curves.png") as curves:
        assert curves.width > 100
    assert re.search(r"parts +train \d+, validation \d+, test \d+", result.stdout)
    assert re.search(r"duplicates +1\b", result.stdout) and re.search(r"conflicts +2\b", result.stdout)
    for file in ("red/conflict.png", "blue/conflict.png"):
        assert f"conflict, left out: {file}" in result.stderr
    assert "left out: red/broken.png: it is no picture" in result.stderr


def test_the_folder_of_the_training_is_evaluated_on_its_held_out_part(
    run: Run, data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "encoder"
    run("train", data, "--out", out, *QUICK)
    evaluation = json.loads(run("evaluate", out, data, "--json").stdout)
    assert evaluation["protocol"] == "held-out"
    assert {"train", "validation", "test", "conflicts_left_out"} <= set(evaluation["sizes"])


def test_a_validation_folder_is_used_as_it_is(run: Run, data: Path, tmp_path: Path) -> None:
    checked = {f"{colour}/{n}.png": plain(colour, size=(9 + n, 9)) for colour in COLOURS for n in range(3)}
    val, out = write_folder(tmp_path / "val", checked), tmp_path / "encoder"
    assert run("train", data, "--out", out, "--val", val, *QUICK).exit_code == 0
    split = load_record(out).split
    assert split and (split["kind"], len(split["validation"]), split["test"]) == ("given", 9, [])


def test_after_a_validation_folder_evaluate_says_what_was_trained_on_and_what_chose_the_epoch(
    run: Run, data: Path, tmp_path: Path
) -> None:
    checked = {f"{colour}/v{n}.png": plain(colour, size=(9 + n, 9)) for colour in COLOURS for n in range(3)}
    val, out = write_folder(tmp_path / "val", checked), tmp_path / "encoder"
    run("train", data, "--out", out, "--val", val, *QUICK)
    itself = json.loads(run("evaluate", out, data, "--json").stdout)
    assert itself["protocol"] == "leave-one-out" and "--queries" in itself["statement"]
    assert itself["sizes"]["queries_trained_on"] == 37  # the broken one is listed, too
    asked = json.loads(run("evaluate", out, data, "--queries", val, "--json").stdout)
    assert asked["protocol"] == "queries" and "also chose the epoch" in asked["statement"]
    assert (asked["sizes"]["queries_trained_on"], asked["sizes"]["queries_validated_on"]) == (0, 9)


def test_the_two_seeds_are_two_options(run: Run, data: Path, tmp_path: Path) -> None:
    splits = []
    for number, seeds in enumerate([("--seed", 1), ("--seed", 2), ("--split-seed", 7)]):
        run("train", data, "--out", tmp_path / str(number), *QUICK, *seeds)
        record = load_record(tmp_path / str(number))
        assert record.split and record.training
        splits.append({file["uri"] for file in record.split["test"]})
    assert splits[0] == splits[1] != splits[2]


def test_the_papers_split_is_one_option(run: Run, data: Path, tmp_path: Path) -> None:
    run("train", data, "--out", tmp_path / "encoder", "--split", "paper", *QUICK)
    split = load_record(tmp_path / "encoder").split
    assert split and (split["kind"], split["seed"]) == ("paper", 42)


@pytest.mark.parametrize("queries", [False, True])
def test_evaluate_json_has_the_keys_of_the_contract(
    run: Run, pictures: Path, checkpoint: Path, tmp_path: Path, queries: bool
) -> None:
    asking = write_folder(tmp_path / "ask", {f"{c}/1.png": plain(c, size=(9, 9)) for c in COLOURS})
    options = ("--queries", asking) if queries else ()
    evaluation = json.loads(run("evaluate", checkpoint, pictures, *options, "--json").stdout)
    numbers = {"pair_auc", "pair_accuracy", "recall_at_1", "recall_at_5", "map_at_r"}
    assert numbers | {"protocol", "sizes"} <= set(evaluation)
    assert evaluation["protocol"] == ("queries" if queries else "leave-one-out")
    assert evaluation["recall_at_1"] == 1.0
    assert evaluation["sizes"]["queries"] == (3 if queries else 12)


def test_without_a_checkpoint_raw_pooled_features_are_judged(run: Run, pictures: Path) -> None:
    options = ("--body", "small", "--weights", "none", "--image-size", 32, "--device", "cpu")
    result = run("evaluate", pictures, *options)
    assert result.exit_code == 0, result.stderr
    assert "small-untrained-raw" in result.stdout and "leave-one-out" in result.stdout


def test_no_weights_means_the_recipe_from_scratch() -> None:
    assert choose_config({}) == TrainingConfig()
    assert choose_config({"body": "small"}) == TrainingConfig.from_scratch()
    assert choose_config({"weights": "none"}) == TrainingConfig.from_scratch()
    assert choose_config({"body": "small", "weights": "a.pth"}).trainable == TrainingConfig().trainable
    large = choose_config({"body": "resnet18", "weights": "none"})
    assert (large.trainable, large.preprocessing.image_size) == ("all", 224)


def test_what_was_chosen_comes_before_the_recipe() -> None:
    config = choose_config(
        {"trainable": "3", "epochs": 1, "loss": "triplet", "margin": 0.3, "image_size": 96, "fit": "pad"}
    )
    assert (config.trainable, config.epochs, config.loss, config.margin) == (3, 1, "triplet", 0.3)
    assert (config.preprocessing.image_size, config.preprocessing.fit) == (96, "pad")


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"loss": "nothing"}, "--loss: "),
        ({"augmentation": "wild"}, "--augment: "),
        ({"margin": 0.5}, "has no margin"),
        ({"epochs": 0, "trainable": "head"}, "at least one epoch"),
        ({"loss": "softmax", "class_head": 0.0}, "class_head above 0"),
        ({"image_size": 4}, "--image-size: "),
    ],
)
def test_an_option_that_is_not_allowed_is_named(chosen: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        choose_config(chosen)


def test_the_page_on_the_command_line_has_the_defaults_of_both_recipes() -> None:
    page = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
    rows = re.findall(r"^\| `--([a-z-]+)` \| (\S+) \| (\S+) \|$", page, re.MULTILINE)
    assert len(rows) == 23
    for option, *written in rows:
        for value, config in zip(written, (TrainingConfig(), TrainingConfig.from_scratch()), strict=True):
            fields = config.model_dump() | config.preprocessing.model_dump()
            assert value == str(fields[{"augment": "augmentation"}.get(option, option.replace("-", "_"))])
