"""compare: one query against several pictures, and random pairs of a folder."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from siamese.encoder import Encoder
from siamese.preparing import Prepared
from tests.toys import mosaic, plain, write_folder
from tests.whyalike.conftest import Run
from whyalike.grids import short_names

SEVERAL = ("blue/white.png", "red/black.png", "lime/cyan.png", "red/white.png")


def asked(pictures: Path) -> list[Path]:
    """A red query and four others."""
    return [pictures / "red" / "white.png", *(pictures / name for name in SEVERAL)]


def sampled(run: Run, folder: Path, checkpoint: Path, *options: object, count: int = 10) -> dict[str, Any]:
    result = run("compare", "--pairs", count, folder, "--checkpoint", checkpoint, "--json", *options)
    assert result.exit_code == 0, result.stderr
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def kinds(answer: dict[str, Any]) -> Counter[bool | None]:
    return Counter(pair["same"] for pair in answer["pairs"])


def ends(answer: dict[str, Any]) -> set[tuple[str, str]]:
    return {(pair["first"]["uri"], pair["second"]["uri"]) for pair in answer["pairs"]}


@pytest.mark.parametrize("judge", ["gallery", "checkpoint"])
def test_several_pictures_come_nearest_first_with_all_their_numbers(
    run: Run, gallery: str, checkpoint: Path, pictures: Path, judge: str
) -> None:
    by = ["--gallery", gallery] if judge == "gallery" else ["--checkpoint", checkpoint]
    answer = json.loads(run("compare", *asked(pictures), *by, "--json").stdout)
    assert answer["gallery"] == (gallery if judge == "gallery" else None)
    matches = answer["matches"]
    assert [match["rank"] for match in matches] == [1, 2, 3, 4]
    assert [Path(match["uri"]).parent.name for match in matches][:2] == ["red", "red"]
    assert [match["verdict"] for match in matches] == ["same", "same", "different", "different"]
    distances = [match["distance"] for match in matches]
    assert distances == sorted(distances) and distances[0] == 0.0
    assert all(match["evidence"]["explained"] for match in matches)


def test_several_pictures_have_the_numbers_that_each_has_alone(
    run: Run, checkpoint: Path, pictures: Path
) -> None:
    query, *others = asked(pictures)
    by = ("--checkpoint", checkpoint, "--json")
    together = json.loads(run("compare", query, *others, *by).stdout)["matches"]
    for match in together:
        alone = json.loads(run("compare", query, match["uri"], *by).stdout)
        assert {key: alone[key] for key in match if key != "rank"} == {
            key: value for key, value in match.items() if key != "rank"
        }


def test_no_content_is_embedded_twice(
    run: Run, checkpoint: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded: list[int] = []
    embed = Encoder.embed_directed

    def counting(encoder: Encoder, prepared: Sequence[Prepared]) -> Any:
        embedded.append(len(prepared))
        return embed(encoder, prepared)

    monkeypatch.setattr(Encoder, "embed_directed", counting)
    query, *others = asked(pictures)
    assert run("compare", query, *others, *others, "--checkpoint", checkpoint).exit_code == 0
    assert sum(embedded) == len({query, *others})
    embedded.clear()
    answer = sampled(run, pictures, checkpoint, count=60)
    assert answer["counts"]["pairs"] == 60 and sum(embedded) == 12


def test_people_read_a_row_for_each_picture_and_how_they_are_ordered(
    run: Run, checkpoint: Path, pictures: Path
) -> None:
    said = run("compare", *asked(pictures), "--checkpoint", checkpoint).stdout
    assert all(str(pictures / name) in said for name in SEVERAL)
    assert "nearest first, by mean-colour" in said
    assert "same up to distance 0.500, fitted on 100 labelled pairs" in said


def test_the_grid_and_the_evidence_of_several_are_written_where_asked(
    run: Run, checkpoint: Path, pictures: Path, tmp_path: Path
) -> None:
    grid, folder = tmp_path / "new" / "grid.png", tmp_path / "evidence"
    run("compare", *asked(pictures), "--checkpoint", checkpoint, "--grid", grid, "--evidence", folder)
    with Image.open(grid) as picture:
        assert min(picture.size) > 400
    written = {path.name for path in folder.iterdir()}
    assert "figure.png" in written and len(written) == 1 + 9 * len(SEVERAL)
    assert {"04-matched-counterfactual.png", "04-correspondences.png"} <= written


def test_half_of_the_pairs_are_same_and_verdicts_are_checked_by_the_folders(
    run: Run, checkpoint: Path, pictures: Path
) -> None:
    answer = sampled(run, pictures, checkpoint)
    assert kinds(answer) == {True: 5, False: 5}
    assert answer["counts"] == {"pairs": 10, "same": 5, "different": 5, "checked": 10, "right": 10}
    for pair in answer["pairs"]:
        assert pair["same"] == (pair["first"]["label"] == pair["second"]["label"])
        assert pair["right"] == (pair["same"] == (pair["verdict"] == "same"))
        assert pair["similarity"] == pytest.approx(1 - pair["distance"])


def test_identical_seeds_draw_identical_pairs_of_a_folder(run: Run, checkpoint: Path, pictures: Path) -> None:
    first, again, other = (sampled(run, pictures, checkpoint, "--seed", seed) for seed in (1, 1, 2))
    assert first["pairs"] == again["pairs"] and ends(first) != ends(other)


def test_no_pair_has_the_same_content_twice(run: Run, checkpoint: Path, tmp_path: Path) -> None:
    names = {f"red/{number}.png": plain("red") for number in range(6)}
    root = write_folder(
        tmp_path / "data", {**names, "red/other.png": plain("maroon"), "blue/1.png": plain("blue")}
    )
    answer = sampled(run, root, checkpoint, count=20)
    assert len(ends(answer)) == len(answer["pairs"])
    for pair in answer["pairs"]:
        assert pair["first"]["checksum"] != pair["second"]["checksum"]
    assert kinds(answer)[True] == 6, "the other red picture with each of the copies"


def test_where_no_label_has_two_images_all_pairs_are_different(
    run: Run, checkpoint: Path, tmp_path: Path
) -> None:
    colours = ("red", "lime", "blue", "yellow")
    root = write_folder(tmp_path / "data", {f"{colour}/1.png": plain(colour) for colour in colours})
    assert kinds(sampled(run, root, checkpoint, count=6)) == {False: 6}


def test_in_one_folder_nobody_knows_what_is_the_same(run: Run, checkpoint: Path, pictures: Path) -> None:
    answer = sampled(run, pictures / "red", checkpoint, count=4)
    assert kinds(answer) == {None: 4} and answer["counts"]["checked"] == 0
    assert {pair["first"]["label"] for pair in answer["pairs"]} == {None}


def test_unreadable_files_are_named_and_make_no_pair(run: Run, checkpoint: Path, tmp_path: Path) -> None:
    root = write_folder(
        tmp_path / "data", {f"a/{n}.png": mosaic([["red", "blue"]], cell=8 + n) for n in range(3)}
    )
    (root / "a" / "broken.png").write_bytes(b"no picture")
    (root / "a" / "empty.png").write_bytes(b"")
    answer = sampled(run, root, checkpoint, count=20)
    assert {uri for uri, _ in answer["unreadable"]} == {"a/broken.png", "a/empty.png"}
    assert answer["counts"]["pairs"] == 3


def test_a_folder_without_a_pair_is_refused_in_a_sentence(run: Run, checkpoint: Path, tmp_path: Path) -> None:
    root = write_folder(tmp_path / "data", {"a/1.png": plain("red"), "b/1.png": plain("red")})
    result = run("compare", "--pairs", 3, root, "--checkpoint", checkpoint)
    assert result.exit_code == 3 and "no two readable, different images" in result.stderr


def test_the_montage_of_random_pairs_by_a_gallery_is_written(
    run: Run, gallery: str, pictures: Path, tmp_path: Path
) -> None:
    grid = tmp_path / "montage.png"
    said = run("compare", "--pairs", 6, pictures, "--gallery", gallery, "--grid", grid).stdout
    assert "6 of 6 verdicts are right" in said and "3 same and 3 different, drawn with seed 0" in said
    with Image.open(grid) as picture:
        colours = np.unique(np.asarray(picture).reshape(-1, 3), axis=0)
    assert {(255, 0, 0), (0, 255, 0), (0, 0, 255)} & {tuple(colour) for colour in colours}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a.png"], "at least one image beside a.png"),
        (["a.png", "b.png", "--seed", 1], "--seed draws the pairs"),
        (["--pairs", 2, "a", "b"], "one folder, and 2 paths"),
        (["--pairs", 2, "a", "--evidence", "x"], "--evidence explains one query"),
        (["--pairs", 2, "a", "--explained", "class"], "--explained says what the heatmaps"),
        (["a.png", "b.png", "--grid", "x.gif"], "must end in .png"),
    ],
)
def test_what_does_not_go_together_is_refused(run: Run, arguments: list[object], said: str) -> None:
    result = run("compare", *arguments)
    assert result.exit_code == 2 and said in result.stderr


def test_pictures_are_named_by_where_they_differ() -> None:
    assert short_names(["/a/b/red/1.png", "/a/b/blue/1.png"]) == ["red/1.png", "blue/1.png"]
    assert short_names(["/a/b/1.png", "/a/b/2.png"]) == ["1.png", "2.png"]


@pytest.mark.parametrize("readable", [1, 2])
def test_a_bad_file_among_several_is_left_out_with_its_reason(
    run: Run, checkpoint: Path, pictures: Path, tmp_path: Path, readable: int
) -> None:
    (bad := tmp_path / "bad.png").write_bytes(b"no picture")
    query, *others = asked(pictures)
    by = ("--checkpoint", checkpoint, "--json", "--evidence", tmp_path / "evidence")
    result = run("compare", query, bad, *others[:readable], *by)
    assert result.exit_code == 0 and f"left out: {bad}: " in result.stderr
    answer = json.loads(result.stdout)
    assert [match["rank"] for match in answer["matches"]] == list(range(1, readable + 1))
    assert [uri for uri, _ in answer["unreadable"]] == [str(bad)]


def test_a_bad_query_or_nothing_but_bad_files_is_refused(
    run: Run, checkpoint: Path, pictures: Path, tmp_path: Path
) -> None:
    (bad := tmp_path / "bad.png").write_bytes(b"no picture")
    query, *others = asked(pictures)
    for given in ([bad, *others], [query, bad, bad]):
        result = run("compare", *given, "--checkpoint", checkpoint)
        assert (result.exit_code, result.stdout) == (3, "") and f"Error: {bad}: " in result.stderr


def test_fewer_pairs_than_were_asked_for_are_remarked(
    run: Run, checkpoint: Path, pictures: Path, tmp_path: Path
) -> None:
    few = write_folder(tmp_path / "few", {f"{name}/1.png": plain(name) for name in ("red", "lime", "blue")})
    told = run("compare", "--pairs", 5, few, "--checkpoint", checkpoint)
    assert told.exit_code == 0 and f"3 pairs instead of 5: there are no more below {few}" in told.stderr
    assert "instead of" not in run("compare", "--pairs", 3, few, "--checkpoint", checkpoint).stderr


def test_the_help_says_that_a_search_has_another_threshold(run: Run) -> None:
    said = " ".join(run("compare", "--help").stdout.replace("│", " ").split())
    assert "fitted on balanced pairs" in said and "is another" in said
