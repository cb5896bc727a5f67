"""The demo, on 300 scans of three digits; the whole of it is `make demo`."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from sklearn import datasets

from siamese.training_config import TrainingConfig
from tests.toys import noise, write_folder
from tests.whyalike.conftest import Run
from whyalike import demo
from whyalike.digits import write_digits

LARGEST_PICTURE = 300_000
FEW = 300


@pytest.fixture
def three_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    few = datasets.load_digits(n_class=3)
    few.images, few.target = few.images[:FEW], few.target[:FEW]
    monkeypatch.setattr(datasets, "load_digits", lambda: few)
    monkeypatch.setattr(demo, "CONFIG", TrainingConfig.from_scratch(epochs=6, batch_size=16))


@pytest.mark.usefixtures("three_digits")
def test_the_demo_reaches_its_goal_and_can_be_run_again(run: Run, home: Path, tmp_path: Path) -> None:
    out, picture = tmp_path / "evidence", tmp_path / "images" / "digits.png"
    for _ in range(2):
        result = run("demo", "--out", out, "--picture", picture, "--device", "cpu")
        assert result.exit_code == 0, result.stderr
        assert "R@1" in result.stdout and "whyalike serve" in result.stdout
    for figure in (out / "clear" / "figure.png", out / "doubtful" / "figure.png", picture):
        with Image.open(figure) as drawn:
            drawn.load()
    assert picture.stat().st_size < LARGEST_PICTURE
    query = next((home / "demo" / "queries" / "2").iterdir())
    assert run("search", query, "--gallery", demo.GALLERY, "-k", 1).exit_code == 0


@pytest.mark.usefixtures("three_digits")
def test_a_demo_below_its_goal_fails(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(demo, "CONFIG", TrainingConfig.from_scratch(epochs=1))
    monkeypatch.setattr("whyalike.commands.demo.GOAL", 1.1)
    result = run("demo", "--out", tmp_path / "evidence", "--device", "cpu")
    assert result.exit_code == 1 and "R@1" in result.stderr.splitlines()[-1]


@pytest.mark.usefixtures("three_digits")
def test_the_demo_never_overwrites_a_gallery_of_yours(run: Run, checkpoint: Path, tmp_path: Path) -> None:
    root = write_folder(tmp_path / "data", {"a/1.png": noise(1)})
    run("index", root, "--gallery", demo.GALLERY, "--checkpoint", checkpoint)
    result = run("demo", "--out", tmp_path / "evidence")
    assert result.exit_code == 2 and "not the demo's" in result.stderr


def test_a_tenth_of_every_digit_is_held_out_and_no_scan_is_on_both_sides(tmp_path: Path) -> None:
    folders = write_digits(tmp_path)
    seen = {path.read_bytes() for path in folders.gallery.rglob("*.png")}
    held_out = [path.read_bytes() for path in folders.queries.rglob("*.png")]
    assert len(seen) + len(held_out) == 1797 and not seen & set(held_out)
    assert {path.name for path in folders.queries.iterdir()} == set("0123456789")
