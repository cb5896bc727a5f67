"""gallery near-duplicates and gallery cluster: which images belong together, as JSON, CSV and page."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from tests.toys import noise, write_folder
from tests.whyalike.conftest import Run


@pytest.fixture
def shots(run: Run, checkpoint: Path, tmp_path: Path) -> Path:
    """Three shots: one also as a small JPEG under another label, one twice with the same bytes."""
    smooth = {n: noise(n, size=(6, 6)).resize((96, 96), Image.Resampling.BICUBIC) for n in range(3)}
    root = write_folder(tmp_path / "shots", {f"a/{n}.png": picture for n, picture in smooth.items()})
    (root / "b").mkdir()
    data = io.BytesIO()
    smooth[0].resize((64, 64)).save(data, "JPEG", quality=70)
    (root / "b" / "small.jpg").write_bytes(data.getvalue())
    shutil.copy(root / "a" / "1.png", root / "a" / "copy.png")
    assert run("index", root, "--gallery", "shots", "--checkpoint", checkpoint).exit_code == 0
    return root


def test_the_same_shot_and_the_same_bytes_are_grouped_and_nothing_else(run: Run, shots: Path) -> None:
    report = json.loads(run("gallery", "near-duplicates", "shots", "--json").stdout)
    groups = [[Path(image["uri"]).name for image in group["images"]] for group in report["groups"]]
    assert groups == [["0.png", "small.jpg"], ["1.png", "copy.png"]]
    assert [group["contents"] for group in report["groups"]] == [2, 1]
    assert (report["images"], report["extra"]) == (5, 2)
    first, second = report["groups"][1]["images"]
    assert first["distance"] == second["distance"] == 0


def test_groups_across_labels_are_those_where_somebody_is_wrong(run: Run, shots: Path) -> None:
    report = json.loads(run("gallery", "near-duplicates", "shots", "--across-labels", "--json").stdout)
    assert [group["labels"] for group in report["groups"]] == [["a", "b"]]


def test_groups_are_written_as_csv_and_as_a_page(run: Run, shots: Path, tmp_path: Path) -> None:
    listed, page = tmp_path / "groups.csv", tmp_path / "groups.html"
    result = run("gallery", "near-duplicates", "shots", "--csv", listed, "--page", page)
    assert result.exit_code == 0, result.stderr
    with listed.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["group"], Path(row["uri"]).name) for row in rows] == [
        ("1", "0.png"),
        ("1", "small.jpg"),
        ("2", "1.png"),
        ("2", "copy.png"),
    ]
    assert page.read_text(encoding="utf-8").count("data:image/jpeg") == 4
    assert "2 groups in 5 images of shots" in result.stdout


def test_a_gallery_without_duplicates_has_no_groups(run: Run, gallery: str) -> None:
    assert json.loads(run("gallery", "near-duplicates", gallery, "--json").stdout)["groups"] == []
    assert run("gallery", "near-duplicates", gallery).exit_code == 0


def test_images_that_look_alike_are_clustered_without_their_labels(run: Run, gallery: str) -> None:
    report = json.loads(run("gallery", "cluster", gallery, "--count", 3, "--json").stdout)
    assert [len(each["images"]) for each in report["clusters"]] == [4, 4, 4]
    assert [len(each["labels"]) for each in report["clusters"]] == [1, 1, 1]
    assert (report["chosen"], report["agreement"]) == (False, 1.0)
    for each in report["clusters"]:
        first = each["images"][0]
        assert (first["image_id"], first["distance"]) == (each["exemplar"], 0.0)


def test_clusters_are_the_same_for_the_same_seed_and_written_as_a_table(
    run: Run, gallery: str, tmp_path: Path
) -> None:
    listed, page = tmp_path / "clusters.csv", tmp_path / "clusters.html"
    twice = [run("gallery", "cluster", gallery, "--json", "--csv", listed, "--page", page) for _ in range(2)]
    assert twice[0].stdout == twice[1].stdout
    with listed.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12 and {"cluster", "uri", "label"} < set(rows[0])
    assert page.read_text(encoding="utf-8").count("data:image/jpeg") == 12


def test_too_many_clusters_are_refused_in_a_sentence(run: Run, gallery: str) -> None:
    result = run("gallery", "cluster", gallery, "--count", 13)
    assert result.exit_code == 3
    assert "12 different images cannot be parted into 13 clusters" in result.stderr
