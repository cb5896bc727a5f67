from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from siamese.errors import UnusableData
from siamese.samples import Sample
from siamese.splits import PARTS, Split, draw_labels, given_split, paper_split, stratified_split
from siamese.units import Ties
from tests.siamese.samples import folders, named


def uris(split: Split, part: str) -> set[str]:
    return {file.uri for file in split.files(part)}  # type: ignore[arg-type]


def contents(split: Split, part: str) -> set[str]:
    return {file.checksum for file in split.usable(part)}  # type: ignore[arg-type]


@st.composite
def collections(draw: st.DrawFn) -> list[Sample]:
    """Labels of any size, with files that repeat the bytes of others, also under another label."""
    counts = draw(st.lists(st.integers(1, 12), min_size=2, max_size=5))
    samples = folders({f"label{number}": count for number, count in enumerate(counts)})
    for number in range(draw(st.integers(0, 6))):
        original = draw(st.sampled_from(samples))
        label = draw(st.sampled_from(sorted({sample.label for sample in samples})))
        samples.append(named(f"{label}/copy{number}.png", content=original.uri))
    return samples


@given(collections(), st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_a_content_is_in_one_part_of_a_stratified_split_and_no_file_is_lost(
    samples: list[Sample], seed: int
) -> None:
    split = stratified_split(samples, seed=seed)
    files = [{file.checksum for file in split.files(part)} for part in PARTS]
    assert not files[0] & files[1]
    assert not files[0] & files[2]
    assert not files[1] & files[2]
    recorded = [file.uri for part in PARTS for file in split.files(part)]
    recorded += [file.uri for file in split.conflicts]
    assert sorted(recorded) == sorted(sample.uri for sample in samples)


@given(collections())
@settings(max_examples=60, deadline=None)
def test_every_label_that_can_be_held_out_keeps_two_contents_to_learn_from(samples: list[Sample]) -> None:
    split = stratified_split(samples)
    for label in {file.label for file in (*split.test, *split.validation)}:
        assert sum(file.label == label for file in split.usable("train")) >= 2


def test_a_stratified_split_takes_the_asked_share_of_every_label() -> None:
    split = stratified_split(folders({"a": 100, "b": 50}), test=0.2, validation=0.1)
    counts = [[sum(f.label == label for f in split.files(p)) for p in PARTS] for label in "ab"]
    assert counts == [[70, 10, 20], [35, 5, 10]]


def test_a_label_with_one_or_two_contents_stays_whole_in_training() -> None:
    split = stratified_split(folders({"many": 20, "one": 1, "two": 2}))
    assert {"one/000.png", "two/000.png", "two/001.png"} <= uris(split, "train")


def test_the_split_depends_on_its_seed_and_not_on_the_order_of_the_samples() -> None:
    samples = folders({"a": 40, "b": 40})
    shuffled = random.Random(5).sample(samples, len(samples))
    assert stratified_split(samples, seed=7) == stratified_split(shuffled, seed=7)
    assert uris(stratified_split(samples, seed=7), "test") != uris(stratified_split(samples, seed=8), "test")


def test_identical_bytes_under_two_labels_are_reported_and_used_by_no_part() -> None:
    samples = [*folders({"rose": 10, "tulip": 10}), named("tulip/same.png", content="rose/003.png")]
    for split in (stratified_split(samples), paper_split(samples)):
        assert {file.uri for file in split.conflicts} == {"rose/003.png", "tulip/same.png"}
        conflict = split.conflicts[0].checksum
        assert not any(conflict in contents(split, part) for part in PARTS)


def test_identical_bytes_under_one_label_are_used_once() -> None:
    samples = [*folders({"rose": 10, "tulip": 10}), named("rose/again.png", content="rose/003.png")]
    split = stratified_split(samples)
    assert [file.uri for file in split.duplicates] == ["rose/again.png"]
    assert sum(len(split.usable(part)) for part in PARTS) == 20


def test_the_papers_split_is_that_of_scikit_learn_on_sorted_paths() -> None:
    samples = folders({"b": 60, "a": 40})
    ordered = sorted(sample.uri for sample in samples)
    rest, test = train_test_split(ordered, test_size=0.1, random_state=42)
    train, validation = train_test_split(rest, test_size=0.1, random_state=42)
    split = paper_split(samples)
    assert (uris(split, "train"), uris(split, "validation")) == (set(train), set(validation))
    assert uris(split, "test") == set(test)


def test_the_papers_split_of_as_many_files_as_flowers_has_its_published_sizes() -> None:
    split = paper_split(
        folders({"Daisy": 764, "Dandelion": 1052, "Rose": 784, "Sunflower": 733, "Tulip": 984})
    )
    assert [len(split.files(part)) for part in PARTS] == [3496, 389, 432]


def test_a_training_image_that_repeats_a_held_out_one_is_not_trained_on() -> None:
    train = folders({"a": 5, "b": 5})
    validation = [named("a/held.png", content="a/002.png"), named("b/held.png")]
    split = given_split(train, validation)
    assert "a/002.png" in uris(split, "train")
    assert not contents(split, "train") & contents(split, "validation")
    assert split.held_out() == "validation"


def test_a_split_survives_its_record() -> None:
    split = stratified_split(folders({"a": 12, "b": 5}))
    assert Split.model_validate_json(split.model_dump_json()) == split


@pytest.mark.parametrize("counts", [{}, {"only": 9}])
def test_data_without_two_labels_is_refused_with_a_sentence(counts: dict[str, int]) -> None:
    with pytest.raises(UnusableData, match=r"no image|at least two labels"):
        stratified_split(folders(counts))


def test_the_papers_split_of_two_images_is_refused() -> None:
    with pytest.raises(UnusableData, match="at least 3 images"):
        paper_split(folders({"a": 1, "b": 1}))


@pytest.mark.parametrize(("test", "validation"), [(0.5, 0.5), (0.9, 0.2), (-0.1, 0.1), (1.0, 0.0)])
def test_shares_that_leave_nothing_to_train_on_are_refused(test: float, validation: float) -> None:
    with pytest.raises(UnusableData, match="nothing to train on"):
        stratified_split(folders({"a": 10, "b": 10}), test=test, validation=validation)


def test_held_out_labels_are_the_test_part_and_in_no_other() -> None:
    samples = folders({"a": 20, "b": 20, "c": 20, "d": 20})
    split = stratified_split(samples, held_out_labels=("b", "d"))
    assert {file.label for file in split.test} == {"b", "d"} and len(split.test) == 40
    assert {file.label for file in (*split.train, *split.validation)} == {"a", "c"}
    assert len(split.validation) == 4
    assert split.held_out_labels == ("b", "d")


def test_what_shares_a_unit_with_a_held_out_label_is_not_trained_on_and_not_judged() -> None:
    samples = folders({"a": 20, "b": 20, "c": 20, "d": 20})
    ties = Ties(groups={"a/000.png": "flat", "b/000.png": "flat"})
    split = stratified_split(samples, held_out_labels=("b", "d"), ties=ties)
    assert "a/000.png" in uris(split, "test")
    assert "a/000.png" not in {file.uri for file in split.judged("test")}
    assert len(split.judged("test")) == 40


def test_labels_are_drawn_with_the_seed_alone() -> None:
    samples = folders(dict.fromkeys("abcdefghij", 3))
    drawn = draw_labels(samples, count=4, seed=1)
    assert len(drawn) == 4 and list(drawn) == sorted(drawn)
    assert drawn == draw_labels(samples[::-1], count=4, seed=1)
    assert len({draw_labels(samples, count=4, seed=seed) for seed in range(5)}) > 1


def test_the_counts_of_a_split_say_what_ties_its_images_together() -> None:
    samples = folders({"a": 10, "b": 10})
    near = ((samples[0].checksum, samples[1].checksum), (samples[0].checksum, samples[10].checksum))
    counts = stratified_split(samples, ties=Ties(near_duplicates=near)).counts
    assert counts and counts.found() == {"units": 18, "near_duplicates": 2, "near_conflicts": 1}


def test_a_split_says_how_many_images_it_does_without_for_a_later_part() -> None:
    samples = folders({"a": 60, "b": 60})
    groups = {sample.uri: str(number // 2) for number, sample in enumerate(samples)}
    split = paper_split(samples, ties=Ties(groups=groups))
    left = sum(len(split.usable(part)) + split.tied_to_later(part) for part in PARTS)
    assert (left, split.tied_to_later("test")) == (120, 0)
    assert split.tied_to_later("train") > 0
    assert not any(paper_split(samples).tied_to_later(part) for part in PARTS)


def test_a_split_that_was_recorded_before_there_were_units_still_loads() -> None:
    written = stratified_split(folders({"a": 12, "b": 12})).model_dump(mode="json")
    files = [file for part in PARTS for file in written[part]]
    for file in files:
        del file["unit"]
    for name in ("counts", "held_out_labels"):
        del written[name]
    old = Split.model_validate(written)
    assert [len(old.usable(part)) for part in PARTS] == [20, 2, 2]
    assert (old.counts, old.held_out_labels, old.tied_to_later("train")) == (None, (), 0)
