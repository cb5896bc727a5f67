"""gallery list, show and rollback: what a gallery is made of, and going back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.toys import noise, write_folder
from tests.whyalike.conftest import Run


@pytest.fixture
def changed(run: Run, gallery: str, pictures: Path, tmp_path: Path, checkpoint: Path) -> str:
    """A second build, with more pictures from another folder."""
    more = write_folder(tmp_path / "more", {"grey/1.png": noise(1)})
    assert run("index", more, "--gallery", gallery).exit_code == 0
    return gallery


def test_list_is_what_galleries_says(run: Run, gallery: str) -> None:
    assert run("gallery", "list", "--json").stdout == run("galleries", "--json").stdout
    assert gallery in run("gallery", "list").stdout


def test_show_has_the_builds_of_a_gallery_newest_first(run: Run, changed: str, pictures: Path) -> None:
    shown = json.loads(run("gallery", "show", changed, "--json").stdout)
    assert [(each["build"], each["images"], each["published"]) for each in shown["builds"]] == [
        (2, 13, True),
        (1, 12, False),
    ]
    assert str(pictures) in shown["sources"]
    assert shown["builds"][0]["bytes"] == shown["bytes"] > shown["builds"][1]["bytes"] > 0
    assert "mean-colour" in run("gallery", "show", changed).stdout


def test_show_lists_the_images_of_an_old_build(run: Run, changed: str, pictures: Path) -> None:
    shown = json.loads(run("gallery", "show", changed, "--build", 1, "--images", "--json").stdout)
    assert shown["labels"] == {"blue": 4, "lime": 4, "red": 4}
    assert {each["uri"] for each in shown["images"]} == {str(path) for path in pictures.glob("*/*.png")}
    assert "red (4)" in run("gallery", "show", changed, "--build", 1).stdout
    assert "white.png" in run("gallery", "show", changed, "--build", 1, "--images").stdout


def test_rollback_publishes_the_state_before(run: Run, changed: str, pictures: Path) -> None:
    report = json.loads(run("gallery", "rollback", changed, "--json").stdout)
    assert (report["build"], report["state_of"], report["images"], report["withdrawn"]) == (3, 1, 12, 1)
    assert json.loads(run("search", pictures / "red" / "white.png", "--json").stdout)["build"] == 3
    assert "has the state of build 2" in run("gallery", "rollback", changed, "--build", 2).stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("show", "nobody"), 4, "There is no gallery 'nobody'"),
        (("show", "colours", "--build", 9), 4, "keeps no build 9; it has 1"),
        (("show", "colours", "--images"), 2, "name it with --build N"),
        (("rollback", "colours"), 2, "is the published one"),
        (("rollback", "colours", "--build", 4), 4, "keeps no build 4"),
    ],
)
def test_what_is_not_there_is_refused(
    run: Run, gallery: str, arguments: tuple[object, ...], code: int, words: str
) -> None:
    result = run("gallery", *arguments)
    assert (result.exit_code, words in result.stderr) == (code, True), result.stderr


def test_a_gallery_that_was_begun_is_told(run: Run, tmp_path: Path, checkpoint: Path) -> None:
    root = write_folder(tmp_path / "data", {"a/1.png": noise(1)})
    (root / "a/1.png").write_bytes(b"no picture")
    run("index", root, "--gallery", "begun", "--checkpoint", checkpoint)
    listed = run("gallery", "list")
    assert listed.exit_code == 0
    assert "not published yet: begun" in listed.stderr
