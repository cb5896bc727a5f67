"""search and compare: the JSON contract, the evidence folder, what people read."""

from __future__ import annotations

import hashlib
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.toys import noise, write_folder
from tests.whyalike.conftest import Run

pytestmark = pytest.mark.usefixtures("each_database")

MATCH_KEYS = [
    "rank",
    "image_id",
    "uri",
    "label",
    "index_distance",
    "distance",
    "score",
    "cosine",
    "similarity",
    "closer_than",
    "closer_than_nearest",
    "closeness",
    "probability",
    "verdict",
    "evidence",
    "reason",
]


def test_search_json_has_the_keys_of_the_contract(run: Run, gallery: str, pictures: Path) -> None:
    query = pictures / "red" / "white.png"
    result = run("search", query, "--gallery", gallery, "-k", 3, "--json")
    answer = json.loads(result.stdout)
    assert {"query", "gallery", "build", "encoder", "threshold", "matches", "timings"} <= set(answer)
    checksum = hashlib.sha256(query.read_bytes()).hexdigest()
    assert answer["query"] == {"uri": str(query), "checksum": checksum}
    assert (answer["gallery"], answer["build"], answer["threshold"]) == (gallery, 1, 0.5)
    assert answer["encoder"].keys() == {"name", "fingerprint"}
    assert [list(match) for match in answer["matches"]] == [MATCH_KEYS] * 3
    assert answer["matches"][0]["evidence"].keys() == {"explained", "balance", "query", "matched"}
    assert list(answer["matches"][0]["evidence"]["explained"]) == [
        "of",
        "value",
        "baseline",
        "baseline_from",
        "method",
    ]


def test_stdout_holds_one_line_of_json_and_nothing_else(run: Run, gallery: str, pictures: Path) -> None:
    for verb in (["search", pictures / "red" / "white.png"], ["galleries"]):
        result = run(*verb, "--json")
        assert result.stdout.count("\n") == 1 and json.loads(result.stdout)


def test_an_indexed_picture_finds_itself_at_distance_zero(run: Run, gallery: str, pictures: Path) -> None:
    query = pictures / "blue" / "cyan.png"
    first = json.loads(run("search", query, "--json").stdout)["matches"][0]
    assert (first["uri"], first["distance"], first["similarity"]) == (str(query), 0.0, 1.0)


def test_the_maps_sum_to_the_margin_on_both_images(run: Run, gallery: str, pictures: Path) -> None:
    answer = json.loads(run("search", pictures / "red" / "white.png", "-k", 12, "--json").stdout)
    assert {match["verdict"] for match in answer["matches"]} == {"same", "different"}
    for match in answer["matches"]:
        explained = match["evidence"]["explained"]
        assert explained["of"] == "cosine" and math.isclose(explained["value"], match["cosine"])
        assert math.isclose(explained["baseline"], 1 - answer["threshold"] ** 2 / 2)
        margin = (explained["value"] - explained["baseline"]) * (1 if match["verdict"] == "same" else -1)
        for side in ("query", "matched"):
            told = match["evidence"][side]
            maps = {part: np.array(told[part]) for part in ("factual", "counterfactual")}
            assert all((grid >= 0).all() for grid in maps.values())
            assert maps["factual"].sum() - maps["counterfactual"].sum() == pytest.approx(margin, abs=0.01)


def test_the_distance_can_be_explained_instead(run: Run, gallery: str, pictures: Path) -> None:
    result = run("search", pictures / "red" / "white.png", "-k", 2, "--explained", "distance", "--json")
    match = json.loads(result.stdout)["matches"][1]
    assert match["evidence"]["explained"]["of"] == "distance"
    assert match["evidence"]["explained"]["value"] == pytest.approx(match["distance"])


def test_a_label_filters(run: Run, gallery: str, pictures: Path) -> None:
    query = pictures / "red" / "white.png"
    matches = json.loads(run("search", query, "--label", "blue", "--label", "lime", "--json").stdout)[
        "matches"
    ]
    assert len(matches) == 8 and {match["label"] for match in matches} == {"blue", "lime"}


def test_people_read_ranks_and_what_verdicts_stand_on(run: Run, gallery: str, pictures: Path) -> None:
    said = run("search", pictures / "red" / "white.png", "-k", 2).stdout
    assert str(pictures / "red" / "white.png") in said
    assert "same up to distance 0.500, fitted on 100 labelled pairs" in said


def test_evidence_is_overlays_heat_and_correspondences_of_each_match_and_one_figure(
    run: Run, gallery: str, pictures: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "evidence"
    run("search", pictures / "red" / "white.png", "-k", 2, "--evidence", folder)
    overlays = {
        f"{rank}-{side}-{part}{style}.png"
        for rank in ("01", "02")
        for side in ("query", "matched")
        for part in ("factual", "counterfactual")
        for style in ("", "-heat")
    }
    lines = {"01-correspondences.png", "02-correspondences.png"}
    assert {path.name for path in folder.iterdir()} == {*overlays, *lines, "figure.png"}
    for path in folder.iterdir():
        with Image.open(path) as picture:
            picture.load()


def test_evidence_of_an_earlier_search_does_not_stay(
    run: Run, gallery: str, pictures: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "evidence"
    for k in (5, 1):
        run("search", pictures / "red" / "white.png", "-k", k, "--evidence", folder)
    assert len(list(folder.iterdir())) == 10


def test_evidence_is_drawn_when_the_original_is_gone(run: Run, checkpoint: Path, tmp_path: Path) -> None:
    root = write_folder(tmp_path / "data", {"a/1.png": noise(1), "b/2.png": noise(2)})
    query = write_folder(tmp_path / "ask", {"3.png": noise(3)}) / "3.png"
    run("index", root, "--checkpoint", checkpoint)
    (root / "a" / "1.png").unlink()
    result = run("search", query, "--evidence", tmp_path / "evidence")
    assert result.exit_code == 0, result.stderr
    assert (tmp_path / "evidence" / "02-matched-factual.png").exists()


def test_compare_json_has_the_fields_of_one_match(run: Run, gallery: str, pictures: Path) -> None:
    pair = pictures / "red" / "white.png", pictures / "blue" / "white.png"
    answer = json.loads(run("compare", *pair, "--json").stdout)
    assert [key for key in answer if key in MATCH_KEYS] == MATCH_KEYS
    assert (answer["uri"], answer["verdict"], answer["index_distance"]) == (str(pair[1]), "different", None)


def test_compare_by_a_checkpoint_needs_no_gallery(
    run: Run, checkpoint: Path, pictures: Path, tmp_path: Path
) -> None:
    pair = pictures / "red" / "white.png", pictures / "red" / "black.png"
    result = run("compare", *pair, "--checkpoint", checkpoint, "--json", "--evidence", tmp_path / "evidence")
    answer = json.loads(result.stdout)
    assert (answer["gallery"], answer["verdict"]) == (None, "same")
    overlays = {
        f"pair-{side}-{part}{style}.png"
        for side in ("query", "matched")
        for part in ("factual", "counterfactual")
        for style in ("", "-heat")
    }
    written = {path.name for path in (tmp_path / "evidence").iterdir()}
    assert written == {*overlays, "pair-correspondences.png", "figure.png"}


def test_a_picture_compared_with_itself_is_at_distance_zero(run: Run, gallery: str, pictures: Path) -> None:
    query = pictures / "red" / "white.png"
    assert json.loads(run("compare", query, query, "--json").stdout)["distance"] == 0.0


def test_without_a_calibration_verdicts_are_null_with_a_reason(
    run: Run, pictures: Path, tmp_path: Path
) -> None:
    from tests.toys import mean_colour_checkpoint

    run("index", pictures, "--checkpoint", mean_colour_checkpoint(tmp_path / "toy"))
    answer = json.loads(run("search", pictures / "red" / "white.png", "-k", 1, "--json").stdout)
    match = answer["matches"][0]
    assert (answer["threshold"], match["probability"], match["verdict"]) == (None, None, None)
    assert answer["calibration"]["reason"] and match["evidence"]["explained"]["baseline"] == 0.0
    assert "no probability and no verdict: " in run("search", pictures / "red" / "white.png").stdout


def test_without_a_calibration_a_match_and_a_pair_are_told_beside_nearest_pairs(
    run: Run, tmp_path: Path
) -> None:
    from tests.toys import mean_colour_checkpoint, plain, write_folder

    shades = {f"{n}.png": plain(f"rgb(255, {n}, 0)") for n in range(20)}
    root = write_folder(tmp_path / "pictures", {**shades, "blue.png": plain("blue")})
    run("index", root, "--checkpoint", mean_colour_checkpoint(tmp_path / "toy"))
    blue, far = root / "blue.png", "Perhaps nothing like the query is among the images that were searched"
    said = run("search", blue, "-k", 2).stdout
    assert re.search(r"closer than +picture", said)
    assert re.search(r"2 +pictures .* 0 % of nearest pairs ", said) and far in " ".join(said.split())
    for others in ([root / "1.png"], [root / "1.png", root / "2.png"]):
        compared = " ".join(run("compare", blue, *others, "--gallery", "default").stdout.split())
        assert "closer than" in compared and "0 % of nearest pairs" in compared and far not in compared


def test_a_condition_on_an_attribute_filters_and_a_slip_is_refused(
    run: Run, pictures: Path, checkpoint: Path, tmp_path: Path
) -> None:
    rows = [f"{pictures}/{each}/white.png,{year}" for each, year in (("red", 2020), ("blue", 2021))]
    listed = tmp_path / "images.csv"
    listed.write_text("\n".join(["path,year", *rows, ""]))
    assert run("index", listed, "--checkpoint", checkpoint).exit_code == 0
    query = pictures / "red" / "white.png"
    (match,) = json.loads(run("search", query, "--where", "year > 2020", "--json").stdout)["matches"]
    assert match["attributes"] == {"year": "2021"} and match["label"] == "blue"
    refused = run("search", query, "--where", "yaer > 2020")
    assert refused.exit_code == 2 and "did you mean year?\n" in refused.stderr
    nothing = run("search", query, "--where", "year > 2021")
    assert "no image of the gallery is left by what this search asks for" in nothing.stdout
    assert "rank" not in nothing.stdout and "year lies between 2020 and 2021" in nothing.stderr
    again = json.loads(run("index", "--json").stdout)
    assert (again["published"], again["unchanged"]) == (False, 2), "it goes over its table again"
