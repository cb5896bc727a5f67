"""search and compare by the heads of an encoder: --scorer, --prefilter, --candidates, --explained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from siamese.heads import Heads
from tests.toys import BLUE_PAIRS, colour_labels, fitted_at, mean_colour_checkpoint, put_heads
from tests.whyalike.conftest import Run


@pytest.fixture
def headed(tmp_path: Path) -> Path:
    """The mean-colour encoder with a pair head that asks for blue, and a class head."""
    path = mean_colour_checkpoint(tmp_path / "headed", calibration=fitted_at(0.5))
    return put_heads(path, Heads(BLUE_PAIRS, colour_labels()))


@pytest.fixture
def query(run: Run, headed: Path, pictures: Path) -> Path:
    """A blue picture of an indexed gallery."""
    assert run("index", pictures, "--checkpoint", headed).exit_code == 0
    return pictures / "blue" / "black.png"


def asked(run: Run, *arguments: object) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def test_a_search_by_the_pair_head_orders_by_its_score(run: Run, query: Path) -> None:
    answer = asked(run, "search", query, "--scorer", "pair-head", "-k", 12, "--candidates", 12)
    scores = [match["score"] for match in answer["matches"]]
    assert (answer["scorer"], answer["threshold"]) == ("pair-head", None)
    assert scores == sorted(scores, reverse=True) and len(scores) == 12
    assert answer["matches"][0]["evidence"]["explained"]["of"] == "pair-head"
    for match in answer["matches"]:
        assert match["verdict"] == ("same" if match["score"] >= 0 else "different")


def test_people_read_what_the_pair_head_stands_on(run: Run, query: Path, tmp_path: Path) -> None:
    said = run("search", query, "--scorer", "pair-head", "--evidence", tmp_path / "evidence").stdout
    assert "same from a probability of 50 % by the pair head, fitted on 200 labelled pairs" in said
    assert (tmp_path / "evidence" / "figure.png").exists()
    assert "score" in said and "score" not in run("search", query).stdout


def test_a_prefilter_leaves_the_label_of_the_query(run: Run, query: Path) -> None:
    answer = asked(run, "search", query, "--prefilter", "label")
    assert {match["label"] for match in answer["matches"]} == {"blue"} and len(answer["matches"]) == 4
    assert answer["prefilter"]["label"] == "blue" and 0.9 < answer["prefilter"]["probability"] < 1
    assert "only blue, the label that the class head gives the query (> 99.9 %)" in " ".join(
        run("search", query, "--prefilter", "label").stdout.split()
    )


@pytest.mark.parametrize(
    ("picture", "options", "code", "sentence"),
    [
        ("lime/black.png", ["--prefilter", "label"], 4, "has the label “green”, which the class head gives"),
        ("blue/black.png", ["--prefilter", "label", "--label", "blue"], 2, "not both"),
        ("blue/black.png", ["-k", 3, "--candidates", 2], 2, "at least the 3 matches that are asked for, but"),
    ],
)
def test_what_cannot_be_narrowed_is_refused_in_a_sentence(
    run: Run, query: Path, pictures: Path, picture: str, options: list[object], code: int, sentence: str
) -> None:
    result = run("search", pictures / picture, *options)
    assert (result.exit_code, result.stdout) == (code, "") and sentence in result.stderr


@pytest.mark.parametrize("options", [["--scorer", "pair-head"], ["--explained", "class"]])
def test_an_encoder_without_heads_says_how_to_get_them(
    run: Run, gallery: str, pictures: Path, options: list[str]
) -> None:
    pair = pictures / "red" / "white.png", pictures / "red" / "black.png"
    for verb in (["search", pair[0]], ["compare", *pair]):
        result = run(*verb, *options)
        assert result.exit_code == 3 and "`whyalike train` learns one" in result.stderr


def test_a_comparison_by_the_pair_head_puts_the_most_probable_first(
    run: Run, headed: Path, pictures: Path
) -> None:
    images = [pictures / colour / "black.png" for colour in ("lime", "blue", "red")]
    options = ["--checkpoint", headed, "--scorer", "pair-head"]
    answer = asked(run, "compare", pictures / "blue" / "cyan.png", *images, *options)
    assert answer["scorer"] == "pair-head" and answer["matches"][0]["uri"].endswith("blue/black.png")
    scores = [match["score"] for match in answer["matches"]]
    assert scores == sorted(scores, reverse=True)


def test_random_pairs_are_judged_by_the_pair_head(run: Run, headed: Path, pictures: Path) -> None:
    options = ["--checkpoint", headed, "--scorer", "pair-head"]
    answer = asked(run, "compare", "--pairs", 6, pictures, *options)
    assert answer["scorer"] == "pair-head"
    for pair in answer["pairs"]:
        both_blue = {pair["first"]["label"], pair["second"]["label"]} == {"blue"}
        assert pair["verdict"] == ("same" if both_blue else "different")
        assert (pair["probability"] >= 0.5) == (pair["score"] >= 0)


def test_the_class_head_can_be_explained(run: Run, query: Path, tmp_path: Path) -> None:
    answer = asked(run, "search", query, "--explained", "class", "--evidence", tmp_path / "evidence")
    explained = answer["matches"][0]["evidence"]["explained"]
    assert (explained["label"], explained["baseline"]) == ("blue", 0)
    assert explained["query_value"] == pytest.approx(explained["value"])  # the query is its own first match
    assert (tmp_path / "evidence" / "01-query-factual.png").exists()
