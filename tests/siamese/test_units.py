from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from siamese.samples import Sample
from siamese.units import Ties, Units, merge
from tests.siamese.samples import named


def tied(units: Units) -> list[set[str]]:
    """The uris of every unit that holds more than one file."""
    found: dict[int, set[str]] = {}
    for sample, unit in units.of.items():
        found.setdefault(unit, set()).add(sample.uri)
    return sorted((uris for uris in found.values() if len(uris) > 1), key=min)


def listing(*uris: str) -> dict[str, str]:
    """A group key for each uri: what stands before the underscore."""
    return {uri: uri.split("/")[1].split("_")[0] for uri in uris}


def test_without_ties_equal_bytes_alone_make_a_unit() -> None:
    samples = [named("a/1"), named("a/2"), named("b/copy", content="a/1")]
    units = merge(samples)
    assert tied(units) == [{"a/1", "b/copy"}]
    assert units.counts.found() == {"units": 2}


def test_a_chain_of_bytes_near_duplicates_and_groups_is_one_unit() -> None:
    first, second = named("a/x_1"), named("b/y_1", content="a/x_1")
    third, fourth, alone = named("b/y_2"), named("a/z_1"), named("a/w_1")
    samples = [first, second, third, fourth, alone]
    ties = Ties(
        near_duplicates=((third.checksum, fourth.checksum),),
        groups=listing(*(sample.uri for sample in samples)),
    )
    units = merge(samples, ties)
    assert tied(units) == [{"a/x_1", "b/y_1", "b/y_2", "a/z_1"}]
    assert units.counts.found() == {
        "units": 2,
        "near_duplicates": 1,
        "near_conflicts": 1,
        "groups": 4,
        "ungrouped": 0,
        "joined_groups": 3,
        "mixed_groups": 0,
    }


def test_a_group_with_images_of_several_labels_and_files_without_a_group_are_counted() -> None:
    samples = [named("bed/1_a"), named("bath/1_b"), named("bed/alone")]
    counts = merge(samples, Ties(groups=listing("bed/1_a", "bath/1_b"))).counts
    assert (counts.groups, counts.mixed_groups, counts.ungrouped, counts.units) == (1, 1, 1, 2)


def test_a_group_key_that_reads_like_a_checksum_ties_nothing_to_that_content() -> None:
    first, second = named("a/1"), named("a/2")
    assert tied(merge([first, second], Ties(groups={"a/2": first.checksum}))) == []


def test_near_duplicates_of_images_that_are_not_there_are_ignored() -> None:
    samples = [named("a/1"), named("a/2")]
    gone = named("a/3").checksum
    units = merge(samples, Ties(near_duplicates=((samples[0].checksum, gone),)))
    assert (tied(units), units.counts.near_duplicates) == ([], 0)


def test_the_same_path_in_two_folders_is_two_images_of_one_group() -> None:
    train, validation = named("a/x_1"), named("a/x_1", content="another")
    assert len(set(merge([train, validation]).of.values())) == 2
    assert len(set(merge([train, validation], Ties(groups=listing("a/x_1"))).of.values())) == 1


def test_nothing_has_no_units() -> None:
    assert merge([]).counts.units == 0


@st.composite
def collections(draw: st.DrawFn) -> tuple[list[Sample], Ties]:
    """Files of a few contents, labels and groups, and near-duplicates among them."""
    rows = draw(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 8), st.integers(0, 6)), max_size=16))
    samples = [
        named(f"l{label}/g{group}_{n}", content=f"c{content}")
        for n, (label, content, group) in enumerate(rows)
    ]
    contents = sorted({sample.checksum for sample in samples})
    pairs = st.tuples(st.sampled_from(contents), st.sampled_from(contents)) if contents else st.nothing()
    near = tuple(draw(st.lists(pairs, max_size=3))) if contents else ()
    groups = listing(*(sample.uri for sample in samples)) if draw(st.booleans()) else None
    return samples, Ties(near_duplicates=near, groups=groups)


@given(collections())
@settings(max_examples=80, deadline=None)
def test_whatever_ties_two_images_puts_them_into_one_unit(made: tuple[list[Sample], Ties]) -> None:
    samples, ties = made
    unit = merge(samples, ties).of
    for first in samples:
        for second in samples:
            near = {(first.checksum, second.checksum), (second.checksum, first.checksum)}
            grouped = ties.groups is not None and ties.groups[first.uri] == ties.groups[second.uri]
            if first.checksum == second.checksum or grouped or near & set(ties.near_duplicates or ()):
                assert unit[first] == unit[second]


@given(collections(), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_units_do_not_depend_on_the_order_of_the_samples(
    made: tuple[list[Sample], Ties], generator: object
) -> None:
    samples, ties = made
    shuffled = list(samples)
    generator.shuffle(shuffled)  # type: ignore[attr-defined]
    assert merge(shuffled, ties) == merge(samples, ties)
