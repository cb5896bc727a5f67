"""What training, validation and test must not share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siamese.embedded_samples import EmbeddedSamples
from siamese.pairs import draw_pairs
from siamese.protocols import Protocol, choose_protocol
from siamese.samples import Sample
from siamese.splits import PARTS, Split, given_split, paper_split, stratified_split
from siamese.trial import Trial
from siamese.units import Ties, apart, merge
from tests.siamese.samples import finding, named

LABELS = ("bath", "bed", "garden", "hall", "kitchen", "living")

Splitting = Callable[[list[Sample], Ties], Split]


def homes(count: int, *, rooms: int = 4) -> list[Sample]:
    """Listings of a few pictures each, of two labels, as AirBnB has them."""
    return [
        named(f"{LABELS[(number + room % 2) % len(LABELS)]}/city_{number:02}_{room}.jpg")
        for number in range(count)
        for room in range(rooms)
    ]


def by_listing(samples: list[Sample]) -> dict[str, str]:
    return {sample.uri: sample.uri.split("/")[1].rsplit("_", 1)[0] for sample in samples}


def drawn(samples: list[Sample], ties: Ties) -> Split:
    return stratified_split(samples, ties=ties, test=0.2, validation=0.2)


def papers(samples: list[Sample], ties: Ties) -> Split:
    return paper_split(samples, ties=ties)


def halves(samples: list[Sample], ties: Ties) -> Split:
    return given_split(samples[:-50], samples[-50:], ties=ties)


def held_out_labels(samples: list[Sample], ties: Ties) -> Split:
    return stratified_split(samples, ties=ties, held_out_labels=("bath", "garden"))


every_split = pytest.mark.parametrize("split_of", [drawn, papers, halves, held_out_labels])


def parts_of(split: Split, names: set[str]) -> set[str]:
    """The parts that use a file or the content of one of these uris."""
    return {part for part in PARTS for file in split.usable(part) if file.uri in names}


@every_split
def test_no_listing_is_in_two_parts(split_of: Splitting) -> None:
    samples = homes(30)
    groups = by_listing(samples)
    split = split_of(samples, Ties(groups=groups))
    for listing in set(groups.values()):
        assert len(parts_of(split, {uri for uri, key in groups.items() if key == listing})) <= 1
    assert split.usable("train") and split.held_out()


@every_split
def test_no_duplicate_is_in_two_parts(split_of: Splitting) -> None:
    samples = homes(30)
    copies = [named(each.uri.replace("city", "copy"), content=each.uri) for each in samples[:40]]
    split = split_of([*samples, *copies], Ties())
    for original, copy in zip(samples, copies, strict=False):
        assert len(parts_of(split, {original.uri, copy.uri})) == 1


@every_split
def test_no_near_duplicate_is_in_two_parts(split_of: Splitting) -> None:
    samples = homes(30)
    near = tuple((samples[n].checksum, samples[n + 60].checksum) for n in range(40))
    split = split_of(samples, Ties(near_duplicates=near))
    for number in range(40):
        assert len(parts_of(split, {samples[number].uri, samples[number + 60].uri})) == 1


@every_split
def test_no_chain_of_a_duplicate_and_a_listing_is_in_two_parts(split_of: Splitting) -> None:
    samples = homes(30)
    copies = [named(f"bed/twin_{n:02}_9.jpg", content=samples[4 * n].uri) for n in range(30)]
    alike = [(copies[n].checksum, samples[4 * n + 8].checksum) for n in range(0, 28, 4)]
    everything = [*samples, *copies]
    ties = Ties(near_duplicates=tuple(alike), groups=by_listing(everything))
    units = merge(everything, ties).of
    split = split_of(everything, ties)
    for unit in set(units.values()):
        assert len(parts_of(split, {sample.uri for sample, own in units.items() if own == unit})) <= 1


@every_split
def test_no_image_is_judged_against_one_of_its_unit(split_of: Splitting) -> None:
    samples = homes(30)
    ties = Ties(near_duplicates=((samples[3].checksum, samples[70].checksum),), groups=by_listing(samples))
    protocol = choose_protocol(samples, split=split_of(samples, ties))
    assert_apart(protocol)


def test_in_leave_one_out_no_image_is_paired_with_itself_or_its_near_duplicate() -> None:
    samples = homes(10)
    near = tuple((samples[n].checksum, samples[n + 12].checksum) for n in range(12))
    assert_apart(choose_protocol(samples, ties=finding(Ties(near_duplicates=near))))


def test_given_queries_are_not_paired_with_their_near_duplicates_among_the_references() -> None:
    samples, queries = homes(10), [named(f"bed/query{n}.jpg") for n in range(6)]
    near = tuple((query.checksum, sample.checksum) for query, sample in zip(queries, samples, strict=False))
    assert_apart(choose_protocol(samples, queries=queries, ties=finding(Ties(near_duplicates=near))))


def assert_apart(protocol: Protocol) -> None:
    """No pair of the protocol, drawn by its names, is of one unit."""
    labels = [np.array([sample.label for sample in part]) for part in (protocol.queries, protocol.references)]
    names = [apart(part, protocol.units) for part in (protocol.queries, protocol.references)]
    pairs = draw_pairs(labels[0], names[0], labels[1], names[1], seed=0)
    assert len(pairs)
    units = protocol.units
    for query, reference in zip(pairs.queries, pairs.references, strict=True):
        asked, answered = protocol.queries[query], protocol.references[reference]
        assert units[asked.checksum] != units[answered.checksum]


def test_no_measure_of_an_evaluation_pairs_two_images_of_one_unit() -> None:
    samples = homes(20)
    groups = by_listing(samples)
    protocol = choose_protocol(samples, ties=finding(Ties(groups=groups)))
    rooms = sorted({(sample.label, groups[sample.uri]) for sample in samples})
    directions = np.random.default_rng(0).normal(size=(len(rooms), 8)).astype(np.float32)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    embeddings = directions[[rooms.index((sample.label, groups[sample.uri])) for sample in samples]]
    assert recall(EmbeddedSamples(tuple(samples), embeddings), protocol) == 1.0
    assert recall(EmbeddedSamples(tuple(samples), embeddings, units=protocol.units), protocol) < 1.0


def recall(embedded: EmbeddedSamples, protocol: Protocol) -> float:
    """R@1 of a trial, none of whose pairs is of one unit or content."""
    trial = Trial.of(embedded, embedded, protocol=protocol)
    for scored in (trial.pairs, trial.among, trial.shown):
        assert len(scored)
        assert (embedded.apart[scored.pairs.queries] != embedded.apart[scored.pairs.references]).all()
    return float(trial.ranked.recall_at(1).mean())


@st.composite
def collections(draw: st.DrawFn) -> tuple[list[Sample], Ties]:
    """Files of several labels, with repeated contents, near-duplicates and groups at random."""
    rows = draw(
        st.lists(
            st.tuples(st.sampled_from(LABELS), st.integers(0, 40), st.integers(0, 20)),
            min_size=3,
            max_size=50,
        )
    )
    samples = [
        named(f"{label}/g{group}_{n}", content=f"{label} {content}")
        for n, (label, content, group) in enumerate(rows)
    ]
    samples += [named("bath/z_1"), named("bed/z_2")]
    checksums = st.sampled_from(sorted({sample.checksum for sample in samples}))
    near = tuple(draw(st.lists(st.tuples(checksums, checksums), max_size=6)))
    return samples, Ties(near_duplicates=near, groups=by_listing(samples))


@given(collections(), st.integers(0, 3))
@settings(max_examples=80, deadline=None)
def test_a_drawn_split_keeps_every_unit_whole_and_every_image_in_exactly_one_part(
    made: tuple[list[Sample], Ties], seed: int
) -> None:
    samples, ties = made
    split = stratified_split(samples, seed=seed, test=0.2, validation=0.2, ties=ties)
    files = [file for part in PARTS for file in split.files(part)]
    assert sorted(file.uri for file in files) == sorted(sample.uri for sample in samples)
    assert len({(part, file.unit) for part in PARTS for file in split.files(part)}) == len(
        {file.unit for file in files}
    )
    assert split == stratified_split(samples[::-1], seed=seed, test=0.2, validation=0.2, ties=ties)


@given(collections())
@settings(max_examples=60, deadline=None)
def test_of_the_papers_split_no_unit_is_used_in_two_parts_and_the_test_part_stays_whole(
    made: tuple[list[Sample], Ties],
) -> None:
    samples, ties = made
    split = paper_split(samples, ties=ties)
    used = [{file.unit for file in split.usable(part)} for part in PARTS]
    assert not used[0] & used[1] and not used[0] & used[2] and not used[1] & used[2]
    assert used[2] == {file.unit for file in split.test}
    assert split.model_copy(update={"counts": None}).train == paper_split(samples, ties=ties).train
    plain = paper_split(samples)
    assert [[f.uri for f in split.files(p)] for p in PARTS] == [
        [f.uri for f in plain.files(p)] for p in PARTS
    ]
