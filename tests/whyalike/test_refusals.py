"""Bad data: one sentence that says what, why and what would be right, and nothing that was there is lost."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from siamese import checkpoint as checkpoints
from siamese.bodies import build_body
from siamese.network import EncoderNetwork
from siamese.preprocessing import Preprocessing
from tests.toys import UNFITTED, mosaic, noise, write_folder
from tests.whyalike.conftest import Run

QUICK = ("--body", "small", "--image-size", 16, "--dimension", 8, "--epochs", 1, "--device", "cpu")
BROKEN = "Error: none of the 3 files below {data} can be read as a picture (cut.jpg, for one: "


def one_sentence(stderr: str) -> str:
    """The error, which is the last line and the only one of its kind."""
    lines = stderr.splitlines()
    assert [line.startswith("Error: ") for line in lines].count(True) == 1 and lines[-1].endswith("."), stderr
    assert "unforeseen" not in lines[-1] and "Traceback" not in stderr
    return lines[-1]


def contents(folder: Path) -> dict[str, bytes]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def write_broken(folder: Path) -> Path:
    """No bytes at all, a text by another name, and half a JPEG."""
    whole = BytesIO()
    noise(1, size=(200, 200)).save(whole, "JPEG")
    folder.mkdir(parents=True)
    (folder / "zero.jpg").write_bytes(b"")
    (folder / "text.jpg").write_text("Dear Sir")
    (folder / "cut.jpg").write_bytes(whole.getvalue()[: len(whole.getvalue()) // 2])
    return folder


def empty(root: Path) -> None:
    root.mkdir()


def unreadable(root: Path) -> None:
    write_broken(root / "red")


def one_label(root: Path) -> None:
    write_folder(root, {f"red/{n}.png": noise(n) for n in range(8)})


def one_image_each(root: Path) -> None:
    write_folder(root, {f"{n}/1.png": noise(n) for n in range(6)})


@pytest.fixture
def trained(run: Run, good: Path, tmp_path: Path) -> Path:
    """A checkpoint that was trained before the bad data came."""
    result = run("train", good, "--out", tmp_path / "trained", *QUICK)
    assert result.exit_code == 0, result.stderr
    return tmp_path / "trained"


@pytest.fixture
def good(tmp_path: Path) -> Path:
    pictures = {
        f"{colour}/{n}.png": mosaic([[colour, colour], [colour, f"rgb({25 * n},99,99)"]])
        for colour in ("red", "lime", "blue")
        for n in range(8)
    }
    return write_folder(tmp_path / "good", pictures)


@pytest.mark.parametrize(
    ("write", "options", "code", "said"),
    [
        (empty, (), 3, "there is no file below {data}; a folder of images for each label is needed"),
        (unreadable, (), 3, BROKEN),
        (one_label, (), 3, "have the label 'red'; learning needs at least two labels, one folder for each"),
        (one_image_each, (), 3, "training keeps two images of every label"),
        (None, ("--group-by", "listing-([0-9]+)"), 3, "matches none of the 24 paths, such as 'blue/0.png'"),
        (None, ("--group-by", "("), 2, "is no regular expression"),
        (
            None,
            ("--config", "{tmp}/unknown.toml"),
            2,
            "has the key 'los', which no training has; the nearest",
        ),
        (None, ("--body", "squeezenet1_1", "--weights", "{tmp}/small.pth"), 4, "are not of squeezenet1_1"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_bad_data_is_not_trained_on_and_the_older_checkpoint_stays(
    run: Run,
    good: Path,
    trained: Path,
    tmp_path: Path,
    write: Callable[[Path], None] | None,
    options: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    data = tmp_path / "data" if write else good
    if write:
        write(data)
    (tmp_path / "unknown.toml").write_text('los = "supcon"\n')
    torch.save(build_body("small", weights="none").state_dict(), tmp_path / "small.pth")
    before = contents(trained)
    chosen = [option.format(tmp=tmp_path) for option in options]
    recipe = () if "--body" in chosen or "--config" in chosen else QUICK
    result = run("train", data, "--out", trained, *recipe, *chosen)
    assert (result.exit_code, result.stdout) == (code, ""), result.stderr
    assert said.format(data=data) in one_sentence(result.stderr)
    assert contents(trained) == before


def test_a_label_with_one_image_is_told_of_and_trained_on(run: Run, good: Path, tmp_path: Path) -> None:
    write_folder(good, {"lone/1.png": noise(1)})
    result = run("train", good, "--out", tmp_path / "out", *QUICK)
    assert result.exit_code == 0 and "such as 'lone'" in result.stderr


@pytest.mark.parametrize("verb", ["train", "evaluate", "index"])
def test_where_some_files_are_unreadable_they_are_named_and_the_others_are_used(
    run: Run, good: Path, checkpoint: Path, tmp_path: Path, verb: str
) -> None:
    write_broken(good / "broken")
    arguments = {
        "train": ("train", good, "--out", tmp_path / "out", *QUICK),
        "evaluate": ("evaluate", checkpoint, good),
        "index": ("index", good, "--checkpoint", checkpoint),
    }
    result = run(*arguments[verb])
    assert result.exit_code == 0, result.stderr
    for name, reason in (
        ("zero", "the file is empty"),
        ("text", "no picture in a known format"),
        ("cut", "truncated"),
    ):
        assert any(f"{name}.jpg: " in line and reason in line for line in result.stderr.splitlines())


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (empty, "there is no file below {data}"),
        (unreadable, BROKEN),
        (
            one_label,
            "every image has the label 'red', so whatever is found would be right; at least two labels",
        ),
    ],
)
@pytest.mark.parametrize("with_checkpoint", [True, False])
def test_bad_data_is_not_evaluated_on_and_no_weights_are_asked_for(
    run: Run,
    checkpoint: Path,
    tmp_path: Path,
    write: Callable[[Path], None],
    said: str,
    with_checkpoint: bool,
) -> None:
    data = tmp_path / "data"
    write(data)
    chosen = (checkpoint, data) if with_checkpoint else (data, "--weights", tmp_path / "nowhere.pth")
    result = run("evaluate", *chosen)
    assert (result.exit_code, result.stdout) == (3, ""), result.stderr
    assert said.format(data=data) in one_sentence(result.stderr)


@pytest.mark.parametrize("write", [empty, unreadable])
@pytest.mark.parametrize("with_checkpoint", [True, False])
def test_bad_data_is_not_indexed_and_no_weights_are_asked_for(
    run: Run,
    gallery: str,
    home: Path,
    checkpoint: Path,
    tmp_path: Path,
    write: Callable[[Path], None],
    with_checkpoint: bool,
) -> None:
    data = tmp_path / "data"
    write(data)
    before = run("galleries", "--json").stdout
    chosen = ("--checkpoint", checkpoint) if with_checkpoint else ("--weights", tmp_path / "nowhere.pth")
    result = run("index", data, "--gallery", "new", *chosen)
    assert (result.exit_code, result.stdout) == (3, ""), result.stderr
    assert f"There is no image below {data}" in one_sentence(result.stderr)
    assert run("galleries", "--json").stdout == before


def cut_weights(folder: Path) -> None:
    weights = next(folder.glob("weights-*"))
    weights.write_bytes(weights.read_bytes()[:-20])


def no_weights(folder: Path) -> None:
    next(folder.glob("weights-*")).unlink()


def foreign_weights(folder: Path) -> None:
    save_file({"x": torch.ones(3)}, next(folder.glob("weights-*")))


def flat_linear(folder: Path) -> None:
    save_file({"linear.weight": torch.ones(3)}, next(folder.glob("weights-*")))


def cut_record(folder: Path) -> None:
    record = folder / "checkpoint.json"
    record.write_text(record.read_text()[:200])


def cut_heads(folder: Path) -> None:
    heads = next(folder.glob("heads-*"))
    heads.write_bytes(heads.read_bytes()[:-20])


def weights_of_another_body(folder: Path) -> None:
    """What copying files by hand between folders makes: one body's record, another body's weights."""

    def network(body: str) -> EncoderNetwork:
        built = build_body(body, weights="none")
        return EncoderNetwork(built, nn.Linear(built.channels, 4)).eval()

    own, other = network("mobilenet_v2"), network("squeezenet1_1")
    record = checkpoints.describe(
        own, name="mixed", preprocessing=Preprocessing(image_size=64), calibration=UNFITTED
    )
    shutil.rmtree(folder)
    checkpoints.save(folder, own, record)
    tensors = {name: tensor.contiguous() for name, tensor in other.state_dict().items()}
    save_file(tensors, folder / record.weights_file)


@pytest.mark.parametrize("verb", ["evaluate", "index", "compare", "export"])
@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (cut_weights, "are damaged or cut short, so they cannot be read; copy the whole folder again"),
        (no_weights, "lacks its weights, weights-"),
        (foreign_weights, "are not of small, the body that its checkpoint.json names"),
        (flat_linear, "are not of small, the body that its checkpoint.json names"),
        (cut_record, "checkpoint.json is damaged or cut short, so it cannot be read; copy the whole folder"),
        (cut_heads, "are missing or damaged"),
        (weights_of_another_body, "are not of mobilenet_v2, the body that its checkpoint.json names"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_damaged_checkpoint_is_told_apart_and_nothing_is_written_with_it(
    run: Run,
    pictures: Path,
    trained_once: Path,
    tmp_path: Path,
    verb: str,
    damage: Callable[[Path], None],
    said: str,
) -> None:
    folder = shutil.copytree(trained_once, tmp_path / "damaged")
    damage(folder)
    picture = pictures / "red" / "white.png"
    arguments = {
        "evaluate": ("evaluate", folder, pictures),
        "index": ("index", pictures, "--gallery", "new", "--checkpoint", folder),
        "compare": ("compare", picture, picture, "--checkpoint", folder),
        "export": ("export", folder, "--onnx", tmp_path / "encoder.onnx"),
    }
    result = run(*arguments[verb])
    assert (result.exit_code, result.stdout) == (3, ""), result.stderr
    assert said in one_sentence(result.stderr)
    assert json.loads(run("galleries", "--json").stdout)["galleries"] == []
    assert not (tmp_path / "encoder.onnx").exists()


@pytest.fixture(scope="module")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained checkpoint, with its heads, to be copied and damaged."""
    from typer.testing import CliRunner

    from whyalike.app import app

    root = tmp_path_factory.mktemp("trained")
    data = write_folder(
        root / "data", {f"{label}/{n}.png": noise(n + 50 * label) for label in range(3) for n in range(8)}
    )
    arguments = ["train", data, "--out", root / "encoder", *QUICK]
    assert CliRunner().invoke(app, [str(each) for each in arguments]).exit_code == 0
    return root / "encoder"


@pytest.mark.parametrize("given", ["model.pth", "model.safetensors", "folder"])
@pytest.mark.parametrize("verb", ["evaluate", "index", "export"])
def test_what_is_no_checkpoint_is_told_what_one_is(
    run: Run, pictures: Path, tmp_path: Path, given: str, verb: str
) -> None:
    torch.save(build_body("small", weights="none").state_dict(), tmp_path / "model.pth")
    save_file({"x": torch.ones(3)}, tmp_path / "model.safetensors")
    (tmp_path / "folder").mkdir()
    path = tmp_path / given
    arguments = {
        "evaluate": ("evaluate", path, pictures),
        "index": ("index", pictures, "--checkpoint", path),
        "export": ("export", path, "--onnx", tmp_path / "encoder.onnx"),
    }
    result = run(*arguments[verb])
    assert (result.exit_code, result.stdout) == (4, "")
    said = one_sentence(result.stderr)
    assert f"there is no checkpoint at {path}: a checkpoint is a folder" in said and "--weights" in said


def test_a_recipe_of_bad_data_leaves_the_gallery_that_is_published(
    run: Run, gallery: str, pictures: Path, trained_once: Path, tmp_path: Path
) -> None:
    before = run("galleries", "--json").stdout
    folder = shutil.copytree(trained_once, tmp_path / "damaged")
    cut_weights(folder)
    assert run("index", pictures, "--gallery", gallery, "--checkpoint", folder, "--refit").exit_code == 3
    assert run("galleries", "--json").stdout == before
    assert run("search", pictures / "red" / "white.png", "--json").exit_code == 0
