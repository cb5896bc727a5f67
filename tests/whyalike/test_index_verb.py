"""index and galleries: what a run says, and that the next one does only what is new."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.toys import noise, write_folder
from tests.whyalike.conftest import Run

pytestmark = pytest.mark.usefixtures("each_database")


def test_a_run_counts_what_became_of_the_files(run: Run, checkpoint: Path, tmp_path: Path) -> None:
    root = write_folder(tmp_path / "data", {f"a/{n}.png": noise(n) for n in range(3)})
    (root / "a" / "broken.png").write_bytes(b"no picture")
    report = json.loads(run("index", root, "--checkpoint", checkpoint, "--json").stdout)
    assert (report["gallery"], report["build"], report["added"], report["embedded"]) == ("default", 1, 3, 3)
    assert [each["uri"] for each in report["unreadable"]] == [str(root / "a" / "broken.png")]


def test_what_is_unreadable_is_named_on_stderr(run: Run, checkpoint: Path, tmp_path: Path) -> None:
    root = write_folder(tmp_path / "data", {"a/1.png": noise(1)})
    (root / "a" / "broken.png").write_bytes(b"")
    result = run("index", root, "--checkpoint", checkpoint)
    assert f"left out: {root / 'a' / 'broken.png'}: the file is empty" in result.stderr
    assert "default: build 1, published, 1 images" in result.stdout


def test_the_next_run_embeds_only_what_is_new(run: Run, checkpoint: Path, tmp_path: Path) -> None:
    root = write_folder(tmp_path / "data", {"a/1.png": noise(1)})
    run("index", root, "--checkpoint", checkpoint)
    write_folder(root, {"a/2.png": noise(2)})
    report = json.loads(run("index", root, "--json").stdout)
    assert (report["added"], report["unchanged"], report["embedded"]) == (1, 1, 1)


def test_a_main_index_is_built_as_it_is_asked_for_and_says_how_well_it_finds(
    run: Run, checkpoint: Path, tmp_path: Path
) -> None:
    root = write_folder(tmp_path / "data", {f"a/{n}.png": noise(n) for n in range(70)})
    report = json.loads(run("index", root, "--checkpoint", checkpoint, "--json").stdout)
    assert (report["build"], report["index"]["kind"], report["index"]["recall"]) == (1, "flat", None)
    result = run("index", root, "--index", "ivf-sq", "--recall", "0.9")
    assert "ivf-sq, IVF1,SQ8" in result.stdout and "of the 10 nearest" in result.stdout
    report = json.loads(run("gallery", "compact", "default", "--json").stdout)
    assert report["index"]["kind"] == "ivf-sq" and report["build"] == report["index"]["build"]
    result = run("index", root, "--index", "IVFx")
    assert (
        result.exit_code == 2 and "'IVFx' is neither one of auto, flat, hnsw, ivf-sq, ivf-pq" in result.stderr
    )


def test_galleries_lists_what_can_be_searched(run: Run, gallery: str) -> None:
    listed = json.loads(run("galleries", "--json").stdout)["galleries"]
    assert [(each["name"], each["build"], each["images"]) for each in listed] == [(gallery, 1, 12)]
    assert gallery in run("galleries").stdout


def test_migrate_makes_the_database(run: Run, home: Path, migrated: Path | str) -> None:
    if isinstance(migrated, str):
        pytest.skip("PostgreSQL has no file in the home")
    home.mkdir()
    result = run("migrate")
    assert result.exit_code == 0 and result.stdout == ""
    assert (home / "whyalike.db").exists()


@pytest.mark.parametrize("verb", ["galleries", "migrate"])
def test_a_missing_home_is_made(run: Run, home: Path, verb: str, migrated: Path | str) -> None:
    if isinstance(migrated, str):
        pytest.skip("PostgreSQL needs no home to be migrated")
    assert run(verb).exit_code == 0 and home.is_dir()


def test_an_encoder_is_fitted_to_a_gallery_without_a_checkpoint(run: Run, tmp_path: Path) -> None:
    root = write_folder(tmp_path / "data", {f"a/{n}.png": noise(n, size=(32, 32)) for n in range(6)})
    options = ("--body", "small", "--weights", "none", "--device", "cpu")
    result = run("index", root, *options)
    assert result.exit_code == 0, result.stderr
    assert run("search", root / "a" / "1.png", "-k", 1).exit_code == 0


def test_local_embeddings_and_the_size_of_the_square_are_chosen_by_options(
    run: Run, checkpoint: Path, tmp_path: Path
) -> None:
    root = write_folder(tmp_path / "data", {"a/1.png": noise(1), "a/2.png": noise(2)})
    options = ("--checkpoint", checkpoint, "--image-size", 64, "--local-embeddings", "none", "--json")
    result = run("index", root, *options)
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    assert (report["local_embeddings"], report["encoder_name"]) == ("none", "mean-colour-64px")
    (root / "a" / "2.png").unlink()
    found = run("search", root / "a" / "1.png", "--json")
    side = json.loads(found.stdout)["matches"][1]["evidence"]["matched"]
    assert side["computed_from"] == "thumbnail" and len(side["factual"]) == 8
    assert (
        "1 of 2 matches: The gallery keeps no local embeddings" in run("search", root / "a" / "1.png").stderr
    )


def test_a_dry_run_prints_what_would_change_and_makes_no_gallery(
    run: Run, checkpoint: Path, tmp_path: Path
) -> None:
    root = write_folder(tmp_path / "data", {"a/1.png": noise(1)})
    told = json.loads(run("index", root, "--checkpoint", checkpoint, "--dry-run", "--json").stdout)
    assert (told["build"], told["changes"]["added"], told["changes"]["to_embed"]) == (None, 1, 1)
    assert "to embed" in run("index", root, "--checkpoint", checkpoint, "--dry-run").stdout
    assert json.loads(run("galleries", "--json").stdout)["galleries"] == []


def test_a_first_run_that_is_refused_leaves_no_gallery_behind(
    run: Run, checkpoint: Path, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "1.png").write_bytes(b"no picture")
    for choice in ((), ("--checkpoint", checkpoint)):
        assert run("index", tmp_path / "data", *choice).exit_code == 3
    assert json.loads(run("gallery", "list", "--json").stdout)["galleries"] == []
    assert run("index", tmp_path / "data", "--dry-run").exit_code == 0, "nor is one in its way"


def test_files_that_cannot_be_read_are_written_as_csv(run: Run, checkpoint: Path, tmp_path: Path) -> None:
    root = write_folder(tmp_path / "data", {"a/1.png": noise(1)})
    (root / "a" / "broken.png").write_bytes(b"")
    table = tmp_path / "errors.csv"
    assert run("index", root, "--checkpoint", checkpoint, "--errors", table).exit_code == 0
    header, row = table.read_text().splitlines()
    assert header == "uri,reason,checksum"
    assert row.startswith(f"{root / 'a' / 'broken.png'},the file is empty,")
    assert run("index", root, "--dry-run", "--errors", table).exit_code == 2


@pytest.mark.parametrize("place", ["", "missing/errors.csv"])
def test_where_errors_cannot_be_written_nothing_is_indexed(
    run: Run, checkpoint: Path, tmp_path: Path, place: str
) -> None:
    root = write_folder(tmp_path / "data", {"a/1.png": noise(1)})
    outcome = run("index", root, "--checkpoint", checkpoint, "--errors", tmp_path / place)
    assert outcome.exit_code == 2
    assert str(tmp_path / place) in outcome.stderr
    assert json.loads(run("galleries", "--json").stdout)["galleries"] == []
