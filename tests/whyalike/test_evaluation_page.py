"""evaluate: the table, and the page with the hardest pairs as pictures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.explain.test_evaluation_page import Read
from tests.toys import fitted_at, mean_colour_checkpoint, mosaic, write_folder
from tests.whyalike.conftest import Run

LABELS = {"warm": (180, 70, 60), "cold": (90, 70, 150), "<script>": (70, 160, 60)}


def picture(colour: list[int], corner: list[int]) -> Image.Image:
    one, other = ("rgb({}, {}, {})".format(*each) for each in (colour, corner))
    return mosaic([[one, one], [one, other]], cell=16)


@pytest.fixture
def shades(tmp_path: Path) -> Path:
    """Pictures of three colours that overlap, one of them in a folder whose name wants to be a script."""
    generator = np.random.default_rng(0)
    pictures = {}
    for label, colour in LABELS.items():
        drawn = generator.normal(colour, 45, (30, 2, 3)).clip(1, 255).astype(int).tolist()
        pictures |= {f"{label}/{n:02}.png": picture(*each) for n, each in enumerate(drawn)}
    return write_folder(tmp_path / "shades", pictures)


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    return mean_colour_checkpoint(tmp_path / "judged", calibration=fitted_at(0.35))


def test_the_page_is_self_contained_and_shows_the_hardest_pairs(
    run: Run, shades: Path, judged: Path, tmp_path: Path
) -> None:
    page = tmp_path / "report" / "page.html"
    result = run("evaluate", judged, shades, "--page", page, "--json")
    assert result.exit_code == 0, result.stderr
    evaluation = json.loads(result.stdout)
    text = page.read_text(encoding="utf-8")
    read = Read(text)
    assert all(reference.startswith(("#", "data:image/")) for reference in read.references)
    assert len(read.ids) == len(set(read.ids)) and read.images_without_words == 0
    assert "<script" not in text and "&lt;script&gt;" in text
    assert read.tags.count("img") == 4 * read.tags.count("article") > 0
    assert f"{100 * evaluation['recall_at_1']:.1f} %" in text and f"{evaluation['pair_auc']:.4f}" in text
    assert "mean-colour" in text and "leave-one-out" in text


def test_the_table_is_grouped_and_leaves_out_what_is_nought(run: Run, shades: Path, judged: Path) -> None:
    result = run("evaluate", judged, shades)
    assert result.exit_code == 0, result.stderr
    for said in (
        "finding",
        "R@1",
        "P@10",
        "MAP@R",
        "EER",
        "FNMR at FMR 1 %",
        "ECE",
        "floor",
        "balanced pairs",
    ):
        assert said in result.stdout
    assert " 0 " not in result.stdout.split("sizes")[1].split("threshold")[0]


def test_an_encoder_that_nothing_was_fitted_for_has_a_page_too(
    run: Run, shades: Path, tmp_path: Path
) -> None:
    encoder = mean_colour_checkpoint(tmp_path / "unfitted")
    result = run("evaluate", encoder, shades, "--page", tmp_path / "page.html")
    assert result.exit_code == 0, result.stderr
    assert "two, each from the other half" in result.stdout
    Read((tmp_path / "page.html").read_text(encoding="utf-8"))


def test_a_handful_of_pictures_has_a_page_too(
    run: Run, pictures: Path, checkpoint: Path, tmp_path: Path
) -> None:
    result = run("evaluate", checkpoint, pictures, "--page", tmp_path / "page.html")
    assert result.exit_code == 0, result.stderr
    assert "No verdict on a shown pair is wrong" in (tmp_path / "page.html").read_text(encoding="utf-8")
