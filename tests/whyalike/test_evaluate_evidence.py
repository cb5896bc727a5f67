"""evaluate --evidence: the maps tested by hiding regions, as a table, as JSON and on the page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.explain.test_evaluation_page import Read
from tests.toys import mosaic, write_folder
from tests.whyalike.conftest import Run

COLOURS = {"red": "red", "green": "lime", "blue": "blue"}
STRANGERS = ("black", "gray", "navy", "maroon", "olive")


@pytest.fixture
def patches(tmp_path: Path) -> Path:
    """A patch of the label's colour somewhere on a ground that says nothing of it."""
    pictures = {}
    for label, colour in COLOURS.items():
        for at, ground in enumerate(STRANGERS):
            rows = [[ground] * 4 for _ in range(4)]
            for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
                rows[(row + at) % 4][(column + 2 * at) % 4] = colour
            pictures[f"{label}/{at}.png"] = mosaic(rows)
    return write_folder(tmp_path / "patches", pictures)


def test_every_map_is_measured_on_either_picture_and_the_relevance_map_beats_chance(
    run: Run, patches: Path, checkpoint: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    asked = ("evaluate", checkpoint, patches, "--evidence", "--evidence-pairs", 9, "--no-near-duplicates")
    result = run(*asked, "--page", page, "--json")
    assert result.exit_code == 0, result.stderr
    evidence = json.loads(result.stdout)["evidence"]
    assert evidence["pairs"] == 9 and evidence["threshold"] == 0.5
    by_name = {each["name"]: each for each in evidence["maps"]}
    assert list(by_name) == [
        "relevance map",
        "norm of the local embeddings",
        "Grad-CAM of the distance",
        "centre prior",
        "random",
    ]
    for side in ("query", "matched"):
        lead = by_name["random"][side]["lead"]
        assert lead["deletion"]["value"] > 0 and lead["insertion"]["value"] > 0 and lead["road"]["value"] > 0
        assert by_name["relevance map"][side]["lead"]["deletion"]["value"] == 0
    assert {(each["verdict"], each["side"]) for each in evidence["flips"]} == {
        (verdict, side) for verdict in ("same", "different") for side in ("query", "matched")
    }
    assert {each["name"] for each in evidence["ranks"]} == set(by_name)
    assert [each["redrawn"] for each in evidence["sanity"]] == ["linear layer", "everything"]
    read = Read(page.read_text(encoding="utf-8"))
    assert len(read.ids) == len(set(read.ids)) and read.images_without_words == 0
    assert "Insertion on the match" in page.read_text(encoding="utf-8")


def test_the_table_has_every_map_and_equal_seeds_give_equal_figures(
    run: Run, patches: Path, checkpoint: Path
) -> None:
    asked = ("evaluate", checkpoint, patches, "--evidence", "--evidence-pairs", 4, "--no-near-duplicates")
    first, again = run(*asked), run(*asked)
    assert first.exit_code == 0, first.stderr
    assert first.stdout == again.stdout
    for said in ("relevance map", "centre prior", "ROAD", "weights re-drawn", "4 pairs of a query"):
        assert said in first.stdout


def test_a_number_of_pairs_without_evidence_is_refused(run: Run, patches: Path, checkpoint: Path) -> None:
    result = run("evaluate", checkpoint, patches, "--evidence-pairs", 4)
    assert result.exit_code == 2 and "--evidence" in result.stderr
