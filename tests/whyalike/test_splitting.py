"""From options to a split: groups by path, near-duplicates by pixels, labels that are held out."""

from __future__ import annotations

import json
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from siamese.checkpoint import load_record
from siamese.errors import UnusableData
from siamese.images import ImageLimits, decode
from siamese.progress import Silent
from siamese.samples import Sample
from siamese.splits import PARTS, Split
from siamese.training import TrainingReport
from siamese.training_config import TrainingConfig
from tests.siamese.samples import folders
from tests.toys import plain, write_folder
from tests.whyalike.conftest import Run
from whyalike.errors import UsageError
from whyalike.folders import LabelledFolder, read_folder
from whyalike.splitting import SplitOptions, choose_split, named_labels, share_notes
from whyalike.teaching import Running, teach_labels
from whyalike.ties import group_keys, near_duplicate_pairs

LIMITS = ImageLimits()
LISTING = r"([^/]+_\d+)_\d+"


def textured(seed: int, *, size: int = 64) -> Image.Image:
    """A picture of coarse blobs, which survive being encoded."""
    blobs = np.random.default_rng(seed).integers(0, 256, (9, 9, 3), np.uint8)
    return Image.fromarray(blobs).resize((size, size), Image.Resampling.BICUBIC)


def jpeg(picture: Image.Image, quality: int) -> bytes:
    data = BytesIO()
    picture.save(data, "JPEG", quality=quality)
    return data.getvalue()


@pytest.fixture
def rooms(tmp_path: Path) -> Path:
    """Twelve listings with two pictures of each of two labels; every fourth picture again, encoded anew."""
    pictures = {
        f"{label}/city_{listing}_{number}.png": textured(100 * listing + 10 * number + len(label))
        for label in ("bed", "kitchen")
        for listing in range(12)
        for number in range(2)
    }
    root = write_folder(tmp_path / "rooms", pictures)
    for number, (name, picture) in enumerate(pictures.items()):
        if number % 4 == 0:
            (root / name).with_suffix(".jpg").write_bytes(jpeg(picture, 70))
    return root


def folder_of(samples: list[Sample]) -> LabelledFolder:
    return LabelledFolder(Path("/nowhere"), tuple(samples), ())


def chosen(folder: LabelledFolder, validating: LabelledFolder | None = None, **options: Any) -> Split:
    return choose_split(folder, validating, SplitOptions(**options), limits=LIMITS, progress=Silent())


def test_a_picture_that_was_encoded_again_is_kept_with_its_original(rooms: Path) -> None:
    folder = read_folder(rooms, limits=LIMITS, progress=Silent())
    split = chosen(folder)
    assert split.counts and (split.counts.near_duplicates, split.counts.units) == (12, 48)
    part = {file.uri: name for name in PARTS for file in split.files(name)}
    copies = [uri for uri in part if uri.endswith(".jpg")]
    assert len(copies) == 12
    assert all(part[uri] == part[uri.replace(".jpg", ".png")] for uri in copies)


def test_near_duplicates_are_not_looked_for_where_it_was_not_asked(rooms: Path) -> None:
    counts = chosen(read_folder(rooms, limits=LIMITS, progress=Silent()), near_duplicates=False).counts
    assert counts and (counts.near_duplicates, counts.units) == (None, 60)


def test_a_listing_is_kept_together(rooms: Path) -> None:
    split = chosen(read_folder(rooms, limits=LIMITS, progress=Silent()), group_by=LISTING)
    part_of = {file.uri: part for part in PARTS for file in split.files(part)}
    listings = group_keys(part_of, LISTING)
    assert (
        len({(listings[uri], part) for uri, part in part_of.items()}) == 12
        and split.usable("test")
        and split.usable("validation")
    )
    assert split.counts and (split.counts.groups, split.counts.mixed_groups) == (12, 12)


def test_broken_tiny_and_blank_pictures_are_near_duplicates_of_nothing(tmp_path: Path) -> None:
    pictures = {f"a/blank{n}.png": plain("white", size=(64 + n, 64)) for n in range(3)}
    pictures |= {f"a/tiny{n}.png": textured(1, size=31).crop((0, 0, 31, 31 - n)) for n in range(2)}
    root = write_folder(tmp_path, pictures)
    (root / "a" / "broken.png").write_bytes(b"no picture")
    samples = read_folder(root, limits=LIMITS, progress=Silent()).samples
    assert near_duplicate_pairs(samples, limits=LIMITS, progress=Silent()) == ()


def test_a_draft_is_smaller_but_not_below_what_was_asked_and_still_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = BytesIO()
    textured(3, size=800).crop((0, 0, 800, 400)).save(data, "JPEG", exif=exif)
    whole, draft = decode(data.getvalue()), decode(data.getvalue(), draft=64)
    assert (whole.size, draft.size) == ((400, 800), (100, 200))


def test_the_key_is_the_first_group_or_all_that_is_matched() -> None:
    paths = ["bed/city_1_1.jpg", "bed/city_1_2.jpg", "bath/city_2_1.jpg", "bath/alone.jpg"]
    keys = {"bed/city_1_1.jpg": "city_1", "bed/city_1_2.jpg": "city_1", "bath/city_2_1.jpg": "city_2"}
    assert group_keys(paths, LISTING) == keys
    assert group_keys(paths, r"city_\d+") == keys


def test_an_empty_key_is_no_key() -> None:
    paths = [f"{prefix}{name}.png" for prefix in ("1_", "2_", "") for name in "ab"]
    assert group_keys(paths, r"^(\d*)") == {path: path[0] for path in paths[:4]}


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("listing-([0-9]+)", "matches none of the 8 paths, such as 'a/000.png'"),
        (r"\d+.png$", "its own key"),
        ("a/(x)?", "matches none"),
        ("a(/)", "the one key '/'"),
    ],
)
def test_a_group_key_that_groups_nothing_or_everything_is_refused(pattern: str, said: str) -> None:
    paths = [sample.uri for sample in folders({"a": 8})]
    with pytest.raises(UnusableData, match=said):
        group_keys(paths, pattern)


def test_a_group_key_that_is_no_regular_expression_is_refused() -> None:
    with pytest.raises(UsageError, match="no regular expression"):
        group_keys(["a/1"], "(")


@pytest.mark.parametrize(("text", "count"), [("3", 3), ("0.4", 4), ("a,b", 2), (" c , d,", 2)])
def test_labels_are_held_out_by_number_share_or_name(text: str, count: int) -> None:
    labels = named_labels(folders(dict.fromkeys("abcdefghij", 2)), text, seed=0)
    assert len(labels) == count
    assert count != 2 or set(labels) <= set("abcd")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("z", "no image has the label 'z'; there are a, b, c, d"),
        ("1", "holds 1 of 4"),
        ("a", "holds 1 of 4"),
        ("3", "holds 3 of 4"),
        ("9", "holds 4 of 4"),
        ("0.1", "holds 0 of 4"),
        ("2.5", "give a number"),
        (",", "holds 0 of 4"),
    ],
)
def test_labels_that_cannot_be_held_out_are_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        named_labels(folders(dict.fromkeys("abcd", 5)), text, seed=0)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kind": "paper", "seed": 1}, "leave out --split-seed"),
        ({"kind": "paper", "test_share": 0.2}, "leave out --test-share"),
        ({"kind": "paper", "hold_out_labels": "2"}, "leave out --hold-out-labels"),
        ({"hold_out_labels": "2", "test_share": 0.1}, "are the test part"),
    ],
)
def test_options_of_a_split_that_contradict_each_other_are_refused(
    options: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        chosen(folder_of(folders(dict.fromkeys("abcd", 5))), **options)


def test_a_validation_folder_is_the_split() -> None:
    train, validation = folder_of(folders({"a": 5, "b": 5})), folder_of(folders({"a": 2}))
    with pytest.raises(UsageError, match="leave out --split, --validation-share"):
        chosen(train, validation, kind="paper", validation_share=0.2)


def test_a_split_that_leaves_nothing_to_test_is_refused_and_without_a_test_part_it_is_not() -> None:
    few = folder_of(folders({"a": 2, "b": 2}))
    with pytest.raises(UnusableData, match="nothing can be held out for testing"):
        chosen(few, near_duplicates=False)
    assert len(chosen(few, near_duplicates=False, test_share=0.0).train) == 4


def test_a_split_that_leaves_nothing_to_train_on_is_refused() -> None:
    samples = folders({"a": 4, "b": 4})
    with pytest.raises(UnusableData, match="no image is left to train on"):
        chosen(folder_of(samples), folder_of(samples), near_duplicates=False)


def test_a_part_that_large_units_made_far_larger_than_its_share_is_said(
    rooms: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = TrainingReport.model_construct(notes=("before",), unreadable=())
    monkeypatch.setattr("whyalike.teaching.train", lambda *_, **__: told)
    running = Running(rooms, "cpu", False, LIMITS, Silent())
    coarse, fine = (
        SplitOptions(group_by=key, near_duplicates=False, validation_share=0.0)
        for key in (r"_(\d)\.\w+$", LISTING)
    )
    first, *said = teach_labels(rooms, None, coarse, TrainingConfig.from_scratch(), running).report.notes
    assert first == "before" and len(said) == 1
    assert re.search(r"test part has \d+ of 60 images where about 6 were .* finer group key", said[0])
    assert teach_labels(rooms, None, fine, TrainingConfig.from_scratch(), running).report.notes == ("before",)


def test_few_images_of_a_label_are_no_large_units() -> None:
    few = folder_of(folders({"a": 4, "b": 4}))
    assert share_notes(chosen(few, near_duplicates=False), SplitOptions()) == []


def test_training_says_what_it_found_and_records_it(run: Run, rooms: Path, tmp_path: Path) -> None:
    quick = ("--body", "small", "--image-size", 16, "--dimension", 8, "--epochs", 1, "--device", "cpu")
    result = run("train", rooms, "--out", tmp_path / "encoder", "--group-by", LISTING, *quick)
    assert result.exit_code == 0, result.stderr
    assert "12 pairs, 0 of them under two labels" in result.stdout
    assert "12; 0 of them joined" in result.stdout and "12 with several labels" in result.stdout
    split = load_record(tmp_path / "encoder").split
    assert split and split["counts"]["groups"] == 12
    evaluated = run("evaluate", tmp_path / "encoder", rooms)
    assert "12 near duplicates" in evaluated.stdout.replace("\n", " ")


def test_in_an_evaluation_no_image_is_judged_against_its_own_listing(run: Run, rooms: Path) -> None:
    raw = ("--body", "small", "--weights", "none", "--image-size", 16, "--device", "cpu", "--json")
    alone, grouped = (
        json.loads(run("evaluate", *options, *raw, rooms).stdout) for options in ((), ("--group-by", LISTING))
    )
    assert (alone["sizes"]["near_duplicates"], grouped["sizes"]["groups"]) == (12, 12)
    assert alone["sizes"]["units"] == 48 and grouped["sizes"]["units"] == 12


def test_a_group_key_that_matches_nothing_ends_with_one_sentence(
    run: Run, rooms: Path, tmp_path: Path
) -> None:
    result = run("train", rooms, "--out", tmp_path / "encoder", "--group-by", "nothing-like-it")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "matches none of the 60 paths" in result.stderr


@pytest.mark.parametrize("option", ["--test-share", "--validation-share"])
@pytest.mark.parametrize("share", ["2", "1", "-0.1", "nan"])
def test_what_is_no_share_is_wrong_usage_before_anything_is_read(
    run: Run, tmp_path: Path, option: str, share: str
) -> None:
    result = run("train", tmp_path / "nowhere", "--out", tmp_path / "encoder", f"{option}={share}")
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{share} is no share" in result.stderr
