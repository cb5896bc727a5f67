"""illustrate: a page of evidence for a handful of queries."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

from tests.toys import mosaic, noise, write_folder
from tests.whyalike.conftest import Run

LINK = re.compile(r"!\[[^\]]*\]\(([^)]+)\)")


@pytest.fixture
def queries(tmp_path: Path) -> Path:
    """A red, a blue and a green picture that the gallery does not hold, and one that it has no label for."""
    pictures = {
        f"{colour}/{number}.png": mosaic([[colour, colour], [colour, "gray"]])
        for colour in ("red", "blue", "lime")
        for number in (1, 2)
    }
    return write_folder(tmp_path / "queries", pictures)


def test_every_picture_of_the_page_is_written_and_small(
    run: Run, gallery: str, queries: Path, tmp_path: Path
) -> None:
    out = tmp_path / "page"
    result = run("illustrate", queries, "--gallery", gallery, "--count", 3, "--out", out)
    assert result.exit_code == 0, result.stderr
    page = (out / "README.md").read_text(encoding="utf-8")
    linked = LINK.findall(page)
    assert sorted(linked) == sorted(path.name for path in out.glob("*.png"))
    assert len(linked) == 3 * 3 * 2  # the best match, the least sure and another label's: evidence and spots
    for name in linked:
        with Image.open(out / name) as picture:
            picture.load()
        assert (out / name).stat().st_size < 100_000
    assert {label for label in ("red", "blue", "lime") if f"({label})" in page} == {"red", "blue", "lime"}
    assert page.count("**same**") >= 3 and page.count("**different**") >= 3
    assert page.count("makes them alike") >= 3 and page.count("keeps them apart") >= 3
    assert str(tmp_path) not in page


def test_the_same_seed_makes_the_same_page_and_another_run_leaves_nothing_behind(
    run: Run, gallery: str, queries: Path, tmp_path: Path
) -> None:
    pages = []
    for count in (2, 1, 1):
        out = tmp_path / "page"
        run("illustrate", queries, "--gallery", gallery, "--count", count, "--seed", 5, "--out", out)
        pages.append((out / "README.md").read_text(encoding="utf-8"))
        assert len(list(out.glob("*.png"))) == len(LINK.findall(pages[-1]))
    assert pages[1] == pages[2] != pages[0]
    assert "Made by `whyalike illustrate queries --gallery colours --count 1 --seed 5`" in pages[1]


def test_no_file_that_it_did_not_write_is_lost(run: Run, gallery: str, queries: Path, tmp_path: Path) -> None:
    out = tmp_path / "page"
    out.mkdir()
    own = {out / "01-holiday.png": b"mine", out / "01-best.txt": b"mine"}
    for path, data in own.items():
        path.write_bytes(data)
    asked = ("illustrate", queries, "--gallery", gallery, "--count", 1, "--out", out)
    for _ in range(2):
        assert run(*asked).exit_code == 0
        assert {path: path.read_bytes() for path in own} == own
    (out / "README.md").write_text("# My photos", encoding="utf-8")
    pictures = sorted(out.glob("*.png"))
    refused = run(*asked)
    assert refused.exit_code == 2 and "--out" in refused.stderr
    assert (out / "README.md").read_text(encoding="utf-8") == "# My photos"
    assert sorted(out.glob("*.png")) == pictures


def test_pictures_without_a_label_of_the_gallery_are_shown_without_another_label(
    run: Run, gallery: str, tmp_path: Path
) -> None:
    queries = write_folder(tmp_path / "holiday", {"1.png": noise(1)})
    out = tmp_path / "page"
    assert run("illustrate", queries, "--gallery", gallery, "--out", out).exit_code == 0
    page = (out / "README.md").read_text(encoding="utf-8")
    assert "another label" not in page and "### The best match" in page and "(holiday)" not in page


def test_without_a_demo_or_a_folder_it_says_how_to_get_one(run: Run, gallery: str, tmp_path: Path) -> None:
    for arguments in ((), (tmp_path / "nowhere", "--gallery", gallery)):
        result = run("illustrate", *arguments, "--out", tmp_path / "page")
        assert result.exit_code == 2 and "whyalike demo" in result.stderr
    assert not (tmp_path / "page").exists()
