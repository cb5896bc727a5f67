from __future__ import annotations

import numpy as np

from siamese.pairs import Pairs, draw_pairs


def drawn(labels: list[str], checksums: list[str], *, seed: int = 0, per_query: int = 20) -> Pairs:
    names, contents = np.array(labels), np.array(checksums)
    return draw_pairs(names, contents, names, contents, seed=seed, per_query=per_query)


def test_no_image_is_paired_with_itself_or_its_duplicate() -> None:
    checksums = np.array(["1", "1", "2", "3", "4", "5"])
    pairs = drawn(list("aaaabb"), checksums.tolist())
    assert (checksums[pairs.queries] != checksums[pairs.references]).all()


def test_a_pair_is_the_same_exactly_when_its_labels_are() -> None:
    labels = np.array(list("aaaabbbbcc"))
    pairs = drawn(labels.tolist(), [str(number) for number in range(10)])
    assert ((labels[pairs.queries] == labels[pairs.references]) == pairs.same).all()


def test_every_query_gets_twenty_same_and_twenty_different_pairs_none_of_them_twice() -> None:
    pairs = drawn(["a"] * 30 + ["b"] * 30, [str(number) for number in range(60)])
    for query in range(60):
        of_query = pairs.queries == query
        assert pairs.same[of_query].sum() == (~pairs.same[of_query]).sum() == 20
        assert len(np.unique(pairs.references[of_query])) == 40


def test_a_query_with_few_partners_gets_as_many_different_pairs_as_same_ones() -> None:
    pairs = drawn(["a"] * 3 + ["b"] * 30, [str(number) for number in range(33)])
    of_first = pairs.queries == 0
    assert pairs.same[of_first].sum() == (~pairs.same[of_first]).sum() == 2


def test_one_label_only_gives_no_pairs() -> None:
    assert len(drawn(["a"] * 5, list("12345"))) == 0
    assert len(drawn([], [])) == 0


def test_the_seed_decides_the_pairs() -> None:
    labels, checksums = ["a"] * 50 + ["b"] * 50, [str(number) for number in range(100)]
    first, again, other = (drawn(labels, checksums, seed=seed) for seed in (1, 1, 2))
    assert (first.references == again.references).all()
    assert (first.references != other.references).any()


def test_distinct_pairs_hold_each_pair_once_and_as_many_same_as_different() -> None:
    labels = ["a"] * 4 + ["b"] * 6 + ["c"] * 30
    pairs = drawn(labels, [str(number) for number in range(40)])
    kept = pairs.distinct(seed=0)
    ends = {frozenset(pair) for pair in zip(kept.queries.tolist(), kept.references.tolist(), strict=True)}
    assert len(ends) == len(kept) < len(pairs)
    assert kept.same.sum() == (~kept.same).sum()
    names = np.array(labels)
    assert ((names[kept.queries] == names[kept.references]) == kept.same).all()


def test_no_pairs_stay_no_pairs() -> None:
    assert len(drawn([], []).distinct(seed=0)) == len(drawn(["a"] * 5, list("12345")).distinct(seed=0)) == 0
