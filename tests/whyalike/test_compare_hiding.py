"""compare --what-if and --faithfulness: one pair, tested by hiding regions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from tests.toys import fitted_at, mean_colour_checkpoint, mosaic, plain, write_folder
from tests.whyalike.conftest import Run


@pytest.fixture
def pair(tmp_path: Path) -> list[Path]:
    """Half red, half blue; and red: just the same."""
    halves = mosaic([["red", "blue"], ["red", "blue"]], cell=16)
    folder = write_folder(tmp_path / "pair", {"half.png": halves, "red.png": plain("red")})
    return [folder / "half.png", folder / "red.png"]


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    return mean_colour_checkpoint(tmp_path / "judged", calibration=fitted_at(0.77))


def test_both_are_printed_and_the_hidden_query_is_drawn(
    run: Run, pair: list[Path], judged: Path, tmp_path: Path
) -> None:
    asked = ("compare", *pair, "--checkpoint", judged, "--what-if", "--faithfulness")
    result = run(*asked, "--evidence", tmp_path / "why")
    assert result.exit_code == 0, result.stderr
    for said in (
        "the least that flips it",
        "becomes “different”",
        "orders of chance beaten",
        "less is better",
        "what if: ",
    ):
        assert said in result.stdout.replace("\n", " ")
    assert Image.open(tmp_path / "why" / "what-if.png").size == (448, 448)
    answer = json.loads(run(*asked, "--evidence", tmp_path / "why", "--json").stdout)
    assert answer["what_if"]["smallest"]["verdict"] == "different"
    assert "picture" not in answer["what_if"], "it is in the folder"


@pytest.mark.parametrize("option", ["--what-if", "--faithfulness"])
def test_only_one_pair_is_tested(run: Run, pair: list[Path], judged: Path, option: str) -> None:
    several = run("compare", *pair, pair[0], "--checkpoint", judged, option)
    drawn = run("compare", "--pairs", 2, pair[0].parent, "--checkpoint", judged, option)
    for refused in (several, drawn):
        assert refused.exit_code == 2 and f"{option} tests one pair" in refused.stderr
