"""calibrate: a gallery's own labels decide what its distances mean, and nothing else changes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gallery.errors import EncoderMismatch
from search_api.queries.subjects import Upload
from search_api.search import Searcher
from siamese.checkpoint import load_record
from siamese.embedded_samples import EmbeddedSamples
from siamese.heads import Heads
from tests.toys import (
    BLUE_PAIRS,
    colour_labels,
    fitted_at,
    mean_colour_checkpoint,
    plain,
    png,
    put_heads,
    write_folder,
)
from tests.whyalike.conftest import Run
from whyalike.calibrating import calibrate_gallery
from whyalike.home import open_galleries
from whyalike.settings import read_settings

WARM, COLD = (180, 70, 60), (90, 70, 150)


def shades(colour: tuple[int, int, int], count: int, *, seed: int) -> list[Image.Image]:
    """Plain pictures around a colour, some of which could be of another."""
    pixels = np.random.default_rng(seed).normal(colour, 38, (count, 3)).clip(1, 255).astype(int)
    return [plain("rgb({}, {}, {})".format(*each), size=(16, 16)) for each in pixels.tolist()]


@pytest.fixture
def shaded(run: Run, tmp_path: Path) -> str:
    """A gallery of warm and cold pictures that overlap, by an encoder that was fitted elsewhere."""
    pictures = {
        f"{name}/{number:02}.png": picture
        for seed, (name, colour) in enumerate((("warm", WARM), ("cold", COLD)))
        for number, picture in enumerate(shades(colour, 60, seed=seed))
    }
    encoder = mean_colour_checkpoint(tmp_path / "encoder", calibration=fitted_at(0.9))
    indexed = run("index", write_folder(tmp_path / "pictures", pictures), "--gallery", "shades",
                  "--checkpoint", encoder)  # fmt: skip
    assert indexed.exit_code == 0, indexed.stderr
    return "shades"


def test_a_gallery_is_calibrated_and_neither_its_fingerprint_nor_its_build_changes(
    run: Run, shaded: str
) -> None:
    galleries = open_galleries(read_settings())
    earlier = galleries.open(shaded)
    before, files = load_record(earlier.checkpoint), sorted(earlier.checkpoint.iterdir())
    result = run("calibrate", shaded, "--json")
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    build = galleries.open(shaded)
    after = load_record(build.checkpoint)
    assert (build.number, build.fingerprint) == (earlier.number, earlier.fingerprint)
    assert after.fingerprint == before.fingerprint and sorted(build.checkpoint.iterdir()) == files
    assert (after.shown.fitted_on, after.calibration.fitted_on) == ("shown", "pair")
    assert after.calibration != before.calibration == fitted_at(0.9)
    assert report["shown"]["after"]["threshold"] == after.for_search.threshold
    assert report["shown"]["before"]["threshold"] is None and report["pair"]["before"]["threshold"] == 0.9
    assert 0 <= report["shown"]["ece"] <= 0.2 and report["shown"]["ece_floor"] > 0
    assert (report["images"], report["labels"], report["left_out"]) == (120, 2, 0)
    build.close()
    earlier.close()


def test_a_running_search_goes_by_the_new_calibration_from_its_next_answer_on(run: Run, shaded: str) -> None:
    searcher = Searcher(open_galleries(read_settings()))
    query = Upload(png(plain("rgb(170, 75, 70)", size=(16, 16))))
    first = searcher.search(query, gallery=shaded)
    assert run("calibrate", shaded).exit_code == 0
    second = searcher.search(query, gallery=shaded)
    assert (first.build, first.encoder) == (second.build, second.encoder)
    assert [match.distance for match in first.matches] == [match.distance for match in second.matches]
    assert first.matches[0].probability != second.matches[0].probability
    assert first.threshold == 0.9 != second.threshold
    assert (first.calibration.fitted_on, second.calibration.fitted_on) == ("pair", "shown")
    for answer in (first, second):
        baseline = answer.matches[0].evidence.explained.baseline
        assert baseline == pytest.approx(1 - (answer.threshold or 0) ** 2 / 2)
    searcher.close()


def test_what_changed_is_told_in_words(run: Run, shaded: str) -> None:
    result = run("calibrate", shaded)
    assert result.exit_code == 0, result.stderr
    assert "distance 0.900" in result.stdout and "120 images of 2 labels" in result.stdout


def test_the_gallery_keeps_its_calibration_when_it_is_indexed_again(
    run: Run, shaded: str, tmp_path: Path
) -> None:
    run("calibrate", shaded)
    write_folder(tmp_path / "pictures", {"warm/new.png": plain("rgb(200, 60, 60)", size=(16, 16))})
    assert run("index", tmp_path / "pictures", "--gallery", shaded).exit_code == 0
    build = open_galleries(read_settings()).open(shaded)
    assert build.number == 2 and load_record(build.checkpoint).shown.fitted_on == "shown"
    build.close()
    again = run("index", tmp_path / "pictures", "--gallery", shaded, "--checkpoint", tmp_path / "encoder")
    assert again.exit_code == 0, again.stderr
    build = open_galleries(read_settings()).open(shaded)
    assert load_record(build.checkpoint).shown.fitted_on == "shown"
    build.close()


def test_a_gallery_without_two_labels_is_refused_in_a_sentence(
    run: Run, checkpoint: Path, tmp_path: Path
) -> None:
    folder = write_folder(tmp_path / "one", {f"red/{n}.png": plain(f"rgb(200,{n},9)") for n in range(4)})
    run("index", folder, "--gallery", "one", "--checkpoint", checkpoint)
    result = run("calibrate", "one")
    assert result.exit_code == 3 and result.stdout == ""
    assert "1 labels; calibrating needs images in folders of at least two labels" in result.stderr


def test_too_few_images_are_refused_in_a_sentence_and_nothing_is_written(
    run: Run, checkpoint: Path, tmp_path: Path
) -> None:
    few = {
        f"{colour}/{n}.png": plain(colour, size=(8 + n, 8)) for colour in ("red", "lime") for n in range(2)
    }
    run("index", write_folder(tmp_path / "few", few), "--gallery", "few", "--checkpoint", checkpoint)
    build = open_galleries(read_settings()).open("few")
    before = (build.checkpoint / "checkpoint.json").read_bytes()
    result = run("calibrate", "few")
    assert result.exit_code == 3 and "at least 10 of each are needed" in result.stderr
    assert (build.checkpoint / "checkpoint.json").read_bytes() == before
    build.close()


def test_a_gallery_that_is_not_there_is_not_found(run: Run) -> None:
    assert run("calibrate", "nowhere").exit_code == 4


@pytest.fixture
def asking(tmp_path: Path) -> Path:
    """Warm and cold pictures that are not in the gallery."""
    others = {
        f"{name}/{number}.png": picture
        for seed, (name, colour) in enumerate((("warm", WARM), ("cold", COLD)), start=2)
        for number, picture in enumerate(shades(colour, 60, seed=seed))
    }
    return write_folder(tmp_path / "asking", others)


def test_a_gallery_is_calibrated_on_queries_that_are_not_in_it(run: Run, shaded: str, asking: Path) -> None:
    result = run("calibrate", shaded, "--queries", asking, "--json")
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["shown"]["refused"] is None
    assert (report["queries"], report["images"]) == (120, 120)
    assert report["shown"]["after"]["pairs"] == 120 * 10
    assert 0 <= report["shown"]["ece"] <= 1
    own = json.loads(run("calibrate", shaded, "--json").stdout)
    assert own["shown"]["after"]["pairs"] == 120 * 10


def test_the_balanced_accuracy_is_told_of_the_threshold_that_it_chose_alone(run: Run, shaded: str) -> None:
    report = json.loads(run("calibrate", shaded, "--json").stdout)
    shown, pair = (f"{report[kind]['after']['balanced_accuracy']:.4f}" for kind in ("shown", "pair"))
    said = run("calibrate", shaded).stdout
    assert pair in said and shown not in said and shown != pair


def test_a_pair_head_stays_as_it_was_trained_and_that_is_said(run: Run, shaded: str) -> None:
    assert "pair head" not in run("calibrate", shaded).stdout
    assert json.loads(run("calibrate", shaded, "--json").stdout)["pair_head"] is False
    build = open_galleries(read_settings()).open(shaded)
    put_heads(build.checkpoint, Heads(BLUE_PAIRS, colour_labels()))
    build.close()
    said = run("calibrate", shaded).stdout
    assert re.search(r"pair head +as trained", said)
    assert json.loads(run("calibrate", shaded, "--json").stdout)["pair_head"] is True


def test_queries_are_embedded_by_the_runtime_that_an_option_or_a_setting_chooses(
    run: Run, shaded: str, asking: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_torch = json.loads(run("calibrate", shaded, "--queries", asking, "--json").stdout)
    assert not (home / "onnx").exists()
    monkeypatch.setenv("WHYALIKE_RUNTIME", "onnx")
    result = run("calibrate", shaded, "--queries", asking, "--json")
    assert result.exit_code == 0 and any((home / "onnx").iterdir()), result.stderr
    threshold = by_torch["shown"]["after"]["threshold"]
    assert json.loads(result.stdout)["shown"]["after"]["threshold"] == pytest.approx(threshold, abs=1e-3)
    refused = run("calibrate", shaded, "--queries", asking, "--runtime", "onnx", "--device", "cuda")
    assert refused.exit_code == 2 and "on the CPU here, not on cuda" in refused.stderr


def test_a_gallery_is_not_locked_while_queries_are_embedded_and_another_encoder_meanwhile_is_refused(
    run: Run, shaded: str, tmp_path: Path
) -> None:
    galleries = open_galleries(read_settings())

    def ask(_: Path) -> EmbeddedSamples:
        other = mean_colour_checkpoint(tmp_path / "other", bias=(0.1, 0.0, 0.0))
        indexed = run("index", tmp_path / "pictures", "--gallery", shaded, "--checkpoint", other, "--refit")
        assert indexed.exit_code == 0, indexed.stderr
        return EmbeddedSamples((), np.empty((0, 3), np.float32))

    with pytest.raises(EncoderMismatch, match="got another encoder while the queries were embedded"):
        calibrate_gallery(galleries, shaded, ask=ask)
