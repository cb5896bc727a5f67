"""train --config: a TOML file or a checkpoint says how to train, and options come before it."""

from __future__ import annotations

from pathlib import Path

import pytest

from siamese.checkpoint import load_record
from siamese.errors import CheckpointNotFound
from siamese.training_config import TrainingConfig
from tests.toys import mean_colour_checkpoint, mosaic, write_folder
from tests.whyalike.conftest import Run
from whyalike.errors import UsageError
from whyalike.training import choose_config

# Livieris et al., J. Imaging 2023, 9(10), 224, as their published configuration has it.
PUBLISHED = """
body = "resnet50"
image_size = 320
augmentation = "none"
loss = "contrastive-paper"
margin = 2.0
class_head = 0
trainable = "all"
head_epochs = 0
epochs = 100
batch_size = 4
images_per_label = 2
optimizer = "adam"
rate = 5e-6
body_rate = 5e-6
weight_decay = 0
schedule = "plateau"
plateau_patience = 15
patience = 25
clip_norm = 1.0
warmup = 0
seed = 42
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "recipe.toml"
    path.write_text(text)
    return path


def test_the_published_recipe_fits_into_a_file(tmp_path: Path) -> None:
    config = choose_config({}, file=written(tmp_path, PUBLISHED))
    assert (config.body, config.preprocessing.image_size, config.margin) == ("resnet50", 320, 2.0)
    assert (config.optimizer, config.plateau_patience, config.patience) == ("adam", 15, 25)


def test_an_option_comes_before_the_file_and_the_file_before_the_recipe(tmp_path: Path) -> None:
    file = written(tmp_path, 'body = "small"\nepochs = 3\nfit = "pad"\nema = 0.9')
    config = choose_config({"epochs": 1, "image_size": 20, "fit": None}, file=file)
    assert (config.body, config.epochs, config.ema) == ("small", 1, 0.9)
    assert (config.preprocessing.image_size, config.preprocessing.fit) == (20, "pad")
    assert config.rate == TrainingConfig.from_scratch().rate


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("imagesize = 224", "the key 'imagesize', which no training has; the nearest is 'image_size'"),
        ("[preprocessing]\nimage_size = 224\nmeans = 1", "the nearest is 'mean'"),
        ("preprocessing = 3", "preprocessing is a table"),
        ('loss = "cosine"', "recipe.toml: loss: Input should be 'contrastive'"),
        ('image_size = "wide"', "recipe.toml: image_size: "),
        ("margin = 0.5", "the loss supcon has no margin"),
        ("body resnet50", "is no TOML file"),
        ("body = 'caf\xe9'", "is no TOML file"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError) as refusal:
        choose_config({}, file=path)
    assert said in str(refusal.value) and "\n" not in str(refusal.value)


def test_what_is_wrong_with_an_option_is_named_beside_a_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--loss: "):
        choose_config({"loss": "cosine"}, file=written(tmp_path, "epochs = 2"))


def test_a_checkpoint_that_was_not_trained_and_a_folder_without_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="was not trained"):
        choose_config({}, file=mean_colour_checkpoint(tmp_path / "toy"))
    with pytest.raises(CheckpointNotFound):
        choose_config({}, file=tmp_path)
    with pytest.raises(FileNotFoundError):
        choose_config({}, file=tmp_path / "absent.toml")


def test_a_training_by_a_file_can_be_done_again_from_its_checkpoint(run: Run, tmp_path: Path) -> None:
    pictures = {
        f"{colour}/{n}.png": mosaic([[colour, f"rgb({20 * n},9,9)"]] * 2, cell=8)
        for colour in ("red", "lime")
        for n in range(10)
    }
    data = write_folder(tmp_path / "data", pictures)
    file = written(tmp_path, 'body = "small"\nimage_size = 16\ndimension = 8\nepochs = 2\nclass_head = 0')
    options = ("--fit", "pad", "--reducing-gap", "0", "--device", "cpu")
    first = run("train", data, "--out", tmp_path / "first", "--config", file, *options)
    assert first.exit_code == 0, first.stderr
    again = run("train", data, "--out", tmp_path / "again", "--config", tmp_path / "first", "--device", "cpu")
    assert again.exit_code == 0, again.stderr
    records = [load_record(tmp_path / name) for name in ("first", "again")]
    assert records[0].fingerprint == records[1].fingerprint and records[0].heads == records[1].heads
    assert records[0].preprocessing.fit == "pad"
    assert [each.preprocessing.reducing_gap for each in records] == [0, 0]
    assert records[0].training and records[0].training["config"]["class_head"] == 0
