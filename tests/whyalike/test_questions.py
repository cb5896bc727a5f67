"""What the command line asks with: files, stored images, parts of them, several with weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.whyalike.conftest import Run


def asked(run: Run, *arguments: object) -> dict[str, Any]:
    result = run("search", *arguments, "--json")
    assert result.exit_code == 0, result.stderr
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def test_a_crop_is_asked_with_and_drawn_on(run: Run, gallery: str, pictures: Path, tmp_path: Path) -> None:
    """A quarter of each picture is its corner; what is left of it is all of one colour."""
    image = pictures / "red/cyan.png"
    out = tmp_path / "evidence"
    answer = asked(run, image, "--crop", "0,0,1,0.5", "-k", 1, "--evidence", out)
    assert answer["query"]["crop"] == {"box": [0, 0, 1, 0.5], "pixels": [0, 0, 16, 8]}
    assert answer["matches"][0]["label"] == "red"
    drawn = Image.open(out / "01-query-factual.png")
    assert drawn.width == 2 * drawn.height


def test_a_masked_region_is_ignored(run: Run, gallery: str, pictures: Path) -> None:
    image = pictures / "red/cyan.png"
    assert asked(run, image, "-k", 1)["matches"][0]["uri"].endswith("cyan.png")
    masked = asked(run, image, "--mask", "8,8,16,16px", "-k", 1)
    assert masked["matches"][0]["uri"].endswith("black.png")  # a black corner adds nothing to red
    assert masked["query"]["masked"] == [[0.5, 0.5, 1, 1]]


def test_pictures_are_added_and_taken_away(run: Run, gallery: str, pictures: Path) -> None:
    red, blue = pictures / "red/black.png", pictures / "blue/black.png"
    stored = asked(run, red, "-k", 1)["matches"][0]["image_id"]
    answer = asked(run, red, "--plus", f"0.5:{blue}", "--minus", f"1.5:{stored}", "-k", 1)
    assert [each["weight"] for each in answer["queries"]] == [1, 0.5, -1.5]
    assert answer["queries"][2]["uri"] == str(red)
    assert answer["matches"][0]["label"] == "blue"


@pytest.mark.parametrize(
    ("arguments", "code", "refusal"),
    [
        (("--crop", "0,0,2,1"), 2, "reaches beyond"),
        (("--minus", "nowhere.png"), 4, "no such file"),
        (("--plus", "4711"), 4, "no image 4711"),
        (("--minus", "red/white.png"), 2, "cancel each other out"),
        (("--plus", "https://pictures.example/a.png"), 3, "WHYALIKE_SEARCH__URL_QUERIES"),
        (("--plus", "red/white.png", "--evidence", "out"), 2, "--evidence draws on one picture"),
    ],
)
def test_what_cannot_be_asked_with_is_refused(
    run: Run,
    gallery: str,
    pictures: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    code: int,
    refusal: str,
) -> None:
    monkeypatch.chdir(pictures)
    result = run("search", "red/white.png", *arguments)
    assert (result.exit_code, refusal in result.stderr) == (code, True), result.stderr


def test_groups_contents_bars_and_pages_are_asked_for(run: Run, gallery: str, pictures: Path) -> None:
    image = pictures / "red/white.png"
    first = asked(run, image, "--group-by", "label", "--group-size", 2, "-k", 2)
    assert [(each["group"]["name"], each["group"]["images"]) for each in first["matches"]] == [
        ("red", 4),
        ("blue", 4),
    ]
    rest = asked(run, image, "--group-by", "label", "-k", 2, "--cursor", first["next_cursor"])
    assert [each["group"]["name"] for each in rest["matches"]] == ["lime"]
    assert [each["rank"] for each in rest["matches"]] == [3]
    assert asked(run, image, "--max-distance", 0)["matches"][0]["distance"] == 0
    assert run("search", image, "--cursor", "nonsense").exit_code == 2


def test_people_read_what_lies_beside_a_match(run: Run, gallery: str, pictures: Path) -> None:
    red, blue = pictures / "red/black.png", pictures / "blue/black.png"
    grouped = run("search", red, "--group-by", "label", "--group-size", 2, "-k", 1).stdout
    assert "red: 4 images; also" in grouped and "more of 3 follow: --cursor" in grouped
    assert "by picture asked with" in run("search", red, "--plus", blue).stdout
