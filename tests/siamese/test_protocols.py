from __future__ import annotations

from collections.abc import Sequence

import pytest

from siamese.errors import UnusableData
from siamese.protocols import choose_protocol
from siamese.samples import Sample
from siamese.splits import given_split, paper_split, stratified_split
from siamese.units import Ties, TiesFinder, apart
from tests.siamese.samples import finding, folders, named


def uris(samples: tuple[Sample, ...]) -> set[str]:
    return {sample.uri for sample in samples}


def test_on_its_own_folder_the_held_out_part_is_judged_against_the_training_part() -> None:
    samples = folders({"a": 30, "b": 30})
    split = stratified_split(samples)
    protocol = choose_protocol(samples, split=split)
    assert protocol.kind == "held-out"
    assert uris(protocol.queries) == {file.uri for file in split.test}
    assert uris(protocol.references) == {file.uri for file in split.train}
    assert {part: protocol.sizes[part] for part in ("train", "validation", "test")} == {
        "train": 48,
        "validation": 6,
        "test": 6,
    }


def test_without_a_test_part_the_validation_part_is_judged() -> None:
    train, validation = folders({"a": 5, "b": 5}), [named("a/v1.png"), named("b/v2.png")]
    protocol = choose_protocol([*train, *validation], split=given_split(train, validation))
    assert "the validation part" in protocol.statement
    assert uris(protocol.queries) == {"a/v1.png", "b/v2.png"}


def test_a_validation_part_that_judges_is_said_to_have_chosen_the_epoch_and_the_threshold() -> None:
    train, validation = folders({"a": 5, "b": 5}), [named("a/v1.png"), named("b/v2.png")]
    split = given_split(train, validation)
    for protocol in (
        choose_protocol([*train, *validation], split=split),
        choose_protocol(train, queries=validation, split=split),
    ):
        assert (protocol.sizes["queries_validated_on"], protocol.sizes["queries_trained_on"]) == (2, 0)
        assert "all 2 queries also chose the epoch and the threshold" in protocol.statement


def test_a_test_part_has_chosen_nothing() -> None:
    samples = folders({"a": 30, "b": 30})
    protocol = choose_protocol(samples, split=stratified_split(samples))
    assert (protocol.sizes["queries_validated_on"], protocol.sizes["queries_trained_on"]) == (0, 0)
    assert "chose" not in protocol.statement


def test_where_what_was_held_out_lies_elsewhere_the_training_images_are_judged_and_it_is_said() -> None:
    train, validation = folders({"a": 5, "b": 5}), [named("a/v1.png"), named("b/v2.png")]
    for split in (given_split(train, validation), given_split(train, [])):
        protocol = choose_protocol(train, split=split)
        assert (protocol.kind, protocol.queries) == ("leave-one-out", tuple(train))
        assert protocol.sizes["queries_trained_on"] == 10
        assert "all 10 queries were trained on" in protocol.statement and "--queries" in protocol.statement


def test_where_only_what_was_held_out_is_there_it_is_judged_by_itself() -> None:
    train, validation = (
        folders({"a": 2, "b": 2}),
        [named(f"{label}/v{n}.png") for label in "ab" for n in "123"],
    )
    protocol = choose_protocol(validation, split=given_split(train, validation))
    assert (protocol.kind, protocol.sizes["queries_validated_on"]) == ("leave-one-out", 6)


def test_no_training_content_is_a_query_or_stands_twice() -> None:
    samples = folders({"a": 30, "b": 30})
    samples += [named(f"a/copy{n}.png", content=f"a/{n:03d}.png") for n in range(30)]
    protocol = choose_protocol(samples, split=paper_split(samples))
    checksums = [sample.checksum for sample in (*protocol.queries, *protocol.references)]
    assert len(checksums) == len(set(checksums))
    assert protocol.sizes["duplicates_left_out"] == 30


def test_any_other_folder_is_judged_by_leave_one_out() -> None:
    split = stratified_split(folders({"a": 30, "b": 30}))
    elsewhere = folders({"c": 4, "d": 4})
    for protocol in (choose_protocol(elsewhere), choose_protocol(elsewhere, split=split)):
        assert protocol.kind == "leave-one-out"
        assert protocol.queries == protocol.references == tuple(elsewhere)


def test_a_folder_with_the_same_paths_but_other_bytes_is_another_folder() -> None:
    samples = folders({"a": 30, "b": 30})
    changed = [named(sample.uri, content=f"other {sample.uri}") for sample in samples]
    assert choose_protocol(changed, split=stratified_split(samples)).kind == "leave-one-out"


def test_a_folder_that_has_grown_is_still_recognised_and_the_new_files_are_counted() -> None:
    samples = folders({"a": 30, "b": 30})
    grown = [*samples, *folders({"c": 5})]
    protocol = choose_protocol(grown, split=stratified_split(samples))
    assert protocol.kind == "held-out"
    assert protocol.sizes["in_no_part"] == 5


def test_training_images_among_the_queries_of_another_folder_are_counted() -> None:
    samples = folders({"a": 30, "b": 30})
    split = stratified_split(samples)
    trained = {file.uri for file in split.train}
    moved = [named(f"moved/{sample.uri}", content=sample.uri) for sample in samples]
    assert choose_protocol(moved, split=split).sizes["queries_trained_on"] == len(trained)


def test_given_queries_are_judged_against_the_folder() -> None:
    queries, samples = [named("a/q.png"), named("b/q.png")], folders({"a": 3, "b": 3})
    protocol = choose_protocol(samples, queries=queries, split=stratified_split(samples))
    assert (protocol.kind, len(protocol.queries), len(protocol.references)) == ("queries", 2, 6)


def test_contents_under_two_labels_are_left_out_also_across_the_two_folders() -> None:
    samples = folders({"a": 3, "b": 3})
    queries = [named("b/wrong.png", content="a/000.png"), named("b/right.png")]
    protocol = choose_protocol(samples, queries=queries)
    assert uris(protocol.queries) == {"b/right.png"}
    assert "a/000.png" not in uris(protocol.references)
    assert protocol.sizes["conflicts_left_out"] == 2


def test_held_out_labels_are_judged_among_themselves_and_it_is_said() -> None:
    samples = folders(dict.fromkeys("abcdefg", 10))
    split = stratified_split(samples, held_out_labels=("b", "c", "d"))
    protocol = choose_protocol(samples, split=split)
    assert (protocol.kind, protocol.queries) == ("leave-one-out", protocol.references)
    assert {sample.label for sample in protocol.queries} == {"b", "c", "d"}
    assert "3 labels that were held out of training (b, c, d)" in protocol.statement
    assert protocol.sizes["queries_trained_on"] == 0


def test_many_held_out_labels_are_not_all_named() -> None:
    samples = folders({f"label{number:02}": 4 for number in range(12)})
    split = stratified_split(samples, held_out_labels=tuple(f"label{number:02}" for number in range(8)))
    assert "label04 and 3 more)" in choose_protocol(samples, split=split).statement


def test_the_sizes_say_what_ties_images_together_by_the_split_or_by_what_is_given() -> None:
    samples = folders({"a": 30, "b": 30})
    groups = {sample.uri: str(number // 3) for number, sample in enumerate(samples)}
    ties = Ties(near_duplicates=((samples[0].checksum, samples[59].checksum),), groups=groups)
    recorded = choose_protocol(samples, split=paper_split(samples, ties=ties))
    found = {"units": 19, "near_duplicates": 1, "near_conflicts": 1, "groups": 20, "joined_groups": 2}
    assert found.items() <= recorded.sizes.items()
    assert recorded.sizes["tied_to_later_part"] > 0
    assert found.items() <= choose_protocol(samples, ties=finding(ties)).sizes.items()


def test_images_of_one_unit_have_one_name_and_others_their_own() -> None:
    samples = folders({"a": 3, "b": 3})
    groups = {"a/000.png": "x", "a/001.png": "x"}
    names = apart(samples, choose_protocol(samples, ties=finding(Ties(groups=groups))).units)
    assert names[0] == names[1] and len(set(names)) == 5


@pytest.mark.parametrize("samples", [[], folders({"a": 1})])
def test_fewer_than_two_images_are_refused(samples: list[Sample]) -> None:
    with pytest.raises(UnusableData, match=r"no query|at least two images"):
        choose_protocol(samples)


def test_groups_that_the_training_did_not_know_are_kept_apart_on_its_own_folder_and_it_is_said() -> None:
    samples = folders({"a": 30, "b": 30})
    split = stratified_split(samples)
    trained, query = split.train[0], split.test[0]
    groups = {trained.uri: "x", query.uri: "x"}
    protocol = choose_protocol(samples, split=split, ties=finding(Ties(groups=groups)))
    assert protocol.kind == "held-out"
    assert protocol.units[query.checksum] == protocol.units[trained.checksum]
    assert len(set(protocol.units.values())) == 59
    assert protocol.sizes["groups"] == 1
    assert "groups as asked for now are kept apart, too" in protocol.statement
    assert "1 of the 6 queries are tied to images that were trained on" in protocol.statement


def test_near_duplicates_are_looked_for_again_only_where_the_split_did_not_look() -> None:
    samples = folders({"a": 30, "b": 30})

    def look(_: Sequence[Sample]) -> tuple[tuple[str, str], ...]:
        asked.append(True)
        return ((samples[0].checksum, samples[1].checksum),)

    for known, times in ((None, 1), ((), 0)):
        asked: list[bool] = []
        split = stratified_split(samples, ties=Ties(near_duplicates=known))
        protocol = choose_protocol(samples, split=split, ties=TiesFinder(near_duplicates=look))
        assert len(asked) == times
        assert ("near-duplicates" in protocol.statement) == bool(times)


def test_units_that_the_split_recorded_are_joined_by_new_ties_and_never_parted() -> None:
    samples = folders({"a": 30, "b": 30})
    recorded = Ties(groups={sample.uri: str(number // 3) for number, sample in enumerate(samples)})
    split = stratified_split(samples, ties=recorded)
    new = Ties(groups={samples[2].uri: "x", samples[3].uri: "x"})
    units = choose_protocol(samples, split=split, ties=finding(new)).units
    assert len({units[sample.checksum] for sample in samples[:6]}) == 1
    assert len(set(units.values())) == 19
