from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from siamese.errors import UnusableData
from siamese.labelled_pairs import LabelledPairs
from siamese.pair_split import pairs_within, split_pairs
from siamese.samples import Sample
from siamese.splits import PARTS, Split
from siamese.units import Ties


def sample(name: str, *, content: str | None = None) -> Sample:
    return Sample(path=Path(name), uri=name, label="x", checksum=content or name)


def labelled(rows: list[tuple[str, str, bool]]) -> LabelledPairs:
    return LabelledPairs.of((sample(first), sample(second), same) for first, second, same in rows)


def islands(count: int) -> LabelledPairs:
    """So many components, each of one same and one different pair."""
    return labelled(
        [row for n in range(count) for row in ((f"{n}a", f"{n}b", True), (f"{n}b", f"{n}c", False))]
    )


def continent(images: int) -> LabelledPairs:
    """One component: every image with every other, same where their numbers are both even or both odd."""
    pairs = combinations(range(images), 2)
    return labelled([(f"{i:03}", f"{j:03}", i % 2 == j % 2) for i, j in pairs])


def part_of(split: Split) -> dict[str, str]:
    return {file.checksum: part for part in PARTS for file in split.files(part)}


def test_a_pair_of_an_image_with_its_own_bytes_is_left_out_and_counted() -> None:
    twice = sample("a"), sample("copy of a", content="a"), True
    pairs = LabelledPairs.of([twice, (sample("a"), sample("a"), True), (sample("a"), sample("b"), False)])
    assert (len(pairs.pairs), pairs.itself) == (1, 2)
    assert pairs.notes() == ["2 pairs were left out of an image with itself or with its own bytes"]


def test_contradictory_judgements_of_a_pair_are_both_left_out() -> None:
    pairs = labelled([("a", "b", True), ("b", "a", False), ("a", "c", True), ("c", "a", True)])
    assert [one.uri for one in pairs.samples] == ["a", "c"]
    assert (len(pairs.pairs), pairs.contradicted, pairs.repeated) == (1, 2, 1)


def test_copies_of_a_content_are_one_image() -> None:
    rows = [(sample("a"), sample("b"), True), (sample("copy", content="a"), sample("c"), False)]
    assert [one.uri for one in LabelledPairs.of(rows).samples] == ["a", "b", "c"]


def test_components_stay_whole_and_no_pair_is_lost() -> None:
    pairs = islands(40)
    split = split_pairs(pairs)
    parts = part_of(split)
    assert split.pairs and split.pairs.lost == 0
    assert (split.pairs.train, split.pairs.validation, split.pairs.test) == (64, 8, 8)
    for n in range(40):
        assert len({parts[f"{n}{letter}"] for letter in "abc"}) == 1


def test_one_component_of_nearly_everything_is_cut_and_the_lost_pairs_are_counted() -> None:
    pairs = continent(40)
    split = split_pairs(pairs)
    parts = part_of(split)
    lost = sum(
        parts[pairs.samples[q].checksum] != parts[pairs.samples[r].checksum]
        for q, r in zip(pairs.pairs.queries, pairs.pairs.references, strict=True)
    )
    assert split.pairs and split.pairs.lost == lost == 780 - 496 - 6 - 6
    assert [len(split.files(part)) for part in PARTS] == [32, 4, 4]


@pytest.mark.parametrize("pairs", [islands(20), continent(30)], ids=["islands", "continent"])
def test_no_image_is_in_two_parts_and_no_pair_crosses(pairs: LabelledPairs) -> None:
    split = split_pairs(pairs)
    names = [{file.checksum for file in split.files(part)} for part in PARTS]
    assert not any(one & other for one, other in combinations(names, 2))
    assert set.union(*names) == {one.checksum for one in pairs.samples}
    assert split.pairs
    for part, members in zip(PARTS, names, strict=True):
        assert len(pairs_within(pairs, members)) == getattr(split.pairs, part)


def test_what_is_tied_stays_together_even_where_a_component_is_cut() -> None:
    ties = Ties(near_duplicates=(("000", "001"), ("001", "002"), ("002", "003")))
    parts = part_of(split_pairs(continent(30), ties=ties))
    assert len({parts[f"00{n}"] for n in range(4)}) == 1


@pytest.mark.parametrize("pairs", [islands(20), continent(30)], ids=["islands", "continent"])
def test_a_unit_is_what_is_tied_and_not_what_was_compared(pairs: LabelledPairs) -> None:
    first, second = (one.checksum for one in pairs.samples[:2])
    split = split_pairs(pairs, ties=Ties(near_duplicates=((first, second),)))
    units = split.units()
    assert units[first] == units[second]
    assert len(set(units.values())) == len(pairs.samples) - 1
    assert split.counts and split.counts.units == len(pairs.samples) - 1


def test_identical_seeds_draw_identical_splits() -> None:
    assert split_pairs(continent(30), seed=1) == split_pairs(continent(30), seed=1)
    assert split_pairs(continent(30), seed=1) != split_pairs(continent(30), seed=2)


def test_other_pairs_of_the_same_images_are_another_split() -> None:
    pairs = islands(20)
    other = LabelledPairs(pairs.samples, pairs.pairs.chosen(np.arange(len(pairs.pairs) - 1)))
    assert split_pairs(pairs).pairs != split_pairs(other).pairs


@pytest.mark.parametrize("same", [True, False])
def test_pairs_of_one_kind_are_refused(same: bool) -> None:
    with pytest.raises(UnusableData, match="same and different"):
        split_pairs(labelled([("a", "b", same), ("c", "d", same)]))


def test_no_pairs_are_refused() -> None:
    with pytest.raises(UnusableData, match="neither"):
        split_pairs(labelled([]))
