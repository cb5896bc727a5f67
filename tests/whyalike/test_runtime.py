"""export, and --runtime onnx: the same answers, whatever computed the gallery."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from siamese import onnx_graph
from tests.toys import mosaic, png
from tests.whyalike.conftest import Run


@pytest.fixture
def stranger(tmp_path: Path) -> Path:
    """A picture that no gallery holds."""
    (tmp_path / "stranger.png").write_bytes(png(mosaic([["red", "lime"], ["blue", "orange"]], cell=16)))
    return tmp_path / "stranger.png"


def numbers(stdout: str) -> list[tuple[object, ...]]:
    matches = json.loads(stdout)["matches"]
    return [(each["uri"], pytest.approx(each["distance"], abs=1e-4), each["verdict"]) for each in matches]


@pytest.mark.parametrize("indexed_by", ["torch", "onnx"])
def test_a_gallery_that_one_runtime_built_is_searched_by_either(
    run: Run, pictures: Path, checkpoint: Path, stranger: Path, indexed_by: str
) -> None:
    result = run("index", pictures, "--checkpoint", checkpoint, "--runtime", indexed_by, "--json")
    assert result.exit_code == 0, result.stderr
    by_torch, by_onnx = (run("search", stranger, "--json", "--runtime", each) for each in ("torch", "onnx"))
    assert by_onnx.exit_code == 0, by_onnx.stderr
    assert numbers(by_onnx.stdout) == numbers(by_torch.stdout)
    known = run("search", pictures / "red" / "white.png", "--json", "--runtime", "onnx")
    assert json.loads(known.stdout)["matches"][0]["distance"] == 0


def test_the_runtime_changes_no_fingerprint_so_a_gallery_may_be_continued_by_the_other(
    run: Run, pictures: Path, checkpoint: Path
) -> None:
    first = json.loads(run("index", pictures / "red", "--checkpoint", checkpoint, "--json").stdout)
    second = json.loads(run("index", pictures, "--runtime", "onnx", "--json").stdout)
    assert (first["embedded"], second["embedded"]) == (4, 8)
    assert first["fingerprint"] == second["fingerprint"]


def test_a_copy_is_at_distance_zero(run: Run, checkpoint: Path, stranger: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.png"
    copy.write_bytes(stranger.read_bytes())
    answer = run("compare", stranger, copy, "--checkpoint", checkpoint, "--runtime", "onnx", "--json")
    assert json.loads(answer.stdout)["distance"] == 0


def test_evaluate_gives_the_same_figures(run: Run, pictures: Path, checkpoint: Path) -> None:
    by_torch, by_onnx = (
        json.loads(run("evaluate", checkpoint, pictures, "--runtime", each, "--json").stdout)
        for each in ("torch", "onnx")
    )
    assert by_onnx["recall_at_1"] == by_torch["recall_at_1"]
    assert by_onnx["map_at_r"] == pytest.approx(by_torch["map_at_r"], abs=1e-6)


def test_the_setting_chooses_too_and_the_graph_is_kept_in_the_home(
    run: Run, gallery: str, stranger: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHYALIKE_RUNTIME", "onnx")
    assert run("search", stranger, "--json").exit_code == 0
    (kept,) = (home / "onnx").iterdir()
    monkeypatch.setenv("WHYALIKE_RUNTIME", "tensorflow")
    result = run("search", stranger)
    assert result.exit_code == 2 and "WHYALIKE_RUNTIME='tensorflow'" in result.stderr and kept.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("search", "{picture}"),
        ("compare", "{picture}", "{picture}"),
        ("index", "{pictures}"),
        ("evaluate", "{checkpoint}", "{pictures}"),
        ("serve",),
    ],
)
def test_a_gpu_and_a_missing_package_are_refused_before_anything_is_computed(
    run: Run,
    gallery: str,
    pictures: Path,
    checkpoint: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
) -> None:
    places = {"picture": pictures / "red" / "white.png", "pictures": pictures, "checkpoint": checkpoint}
    chosen = [*(each.format(**places) for each in arguments), "--runtime", "onnx"]
    result = run(*chosen, "--device", "cuda")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "on the CPU here, not on cuda: choose --device cpu or --runtime torch" in result.stderr
    monkeypatch.setattr(onnx_graph, "find_spec", lambda _: None)
    result = run(*chosen)
    assert (result.exit_code, result.stdout) == (4, "")
    assert "pip install 'whyalike[onnx]'" in result.stderr


def test_export_writes_a_file_and_says_how_near_it_is(
    run: Run, checkpoint: Path, stranger: Path, tmp_path: Path
) -> None:
    file = tmp_path / "encoder.onnx"
    result = run("export", checkpoint, "--onnx", file, "--check", stranger)
    assert result.exit_code == 0 and "differs from PyTorch's by at most" in result.stdout
    report = json.loads(run("export", checkpoint, "--onnx", file, "--json").stdout)
    assert report["bytes"] == file.stat().st_size and report["difference"]["images"] == 4
    assert report["difference"]["embedding"] <= 1e-4 >= report["difference"]["local_embeddings"]


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--onnx", "{tmp}"), 2, "--onnx names the folder"),
        (("--onnx", "{tmp}/no/encoder.onnx"), 4, "{tmp}/no: there is no such folder"),
        (
            ("--onnx", "{tmp}/encoder.onnx", "--check", "{tmp}/broken.png"),
            3,
            "{tmp}/broken.png: it is no picture",
        ),
        (
            ("--onnx", "{tmp}/encoder.onnx", "--check", "{tmp}/none.png"),
            4,
            "{tmp}/none.png: there is no such file",
        ),
    ],
)
def test_what_cannot_be_exported_or_checked_is_refused_and_nothing_is_written(
    run: Run, checkpoint: Path, tmp_path: Path, options: tuple[str, ...], code: int, said: str
) -> None:
    (tmp_path / "broken.png").write_bytes(b"no picture")
    result = run("export", checkpoint, *(each.format(tmp=tmp_path) for each in options))
    assert (result.exit_code, result.stdout) == (code, "")
    assert said.format(tmp=tmp_path) in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["broken.png"]
