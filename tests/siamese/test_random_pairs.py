from collections import Counter

import pytest

from siamese.random_pairs import PossiblePairs

LABELS = ["a", "b", "a", "c", "b", "a", "d"]


def every(pairs: PossiblePairs, *, seed: int = 0) -> list[tuple[int, int]]:
    return list(pairs.drawn(seed=seed, most=1000))


@pytest.mark.parametrize("same", [True, False])
def test_every_pair_of_a_kind_is_drawn_once_and_no_other(same: bool) -> None:
    wanted = {(i, j) for j in range(len(LABELS)) for i in range(j) if (LABELS[i] == LABELS[j]) == same}
    drawn = every(PossiblePairs.of_labels(LABELS, same=same))
    assert len(drawn) == len(wanted) and {(min(pair), max(pair)) for pair in drawn} == wanted


def test_without_labels_any_two_images_are_a_pair() -> None:
    drawn = every(PossiblePairs.of_any(5))
    assert {frozenset(pair) for pair in drawn} == {frozenset((i, j)) for j in range(5) for i in range(j)}
    assert len(drawn) == 10


def test_identical_seeds_draw_identical_pairs() -> None:
    pairs = PossiblePairs.of_labels(LABELS * 10, same=False)
    assert every(pairs, seed=3) == every(pairs, seed=3) != every(pairs, seed=4)


def test_pairs_are_equally_likely_in_both_directions() -> None:
    pairs = PossiblePairs.of_labels(["a", "a", "b"], same=False)
    counts = Counter(next(pairs.drawn(seed=seed, most=1)) for seed in range(2000))
    assert set(counts) == {(0, 2), (2, 0), (1, 2), (2, 1)}
    assert all(400 < count < 600 for count in counts.values())


@pytest.mark.parametrize("labels", [[], ["a"], ["a", "a"]])
def test_where_no_pair_is_possible_none_is_drawn(labels: list[str]) -> None:
    assert every(PossiblePairs.of_labels(labels, same=False)) == []


def test_a_few_of_very_many_pairs_are_drawn_without_listing_them() -> None:
    pairs = PossiblePairs.of_any(1_000_000)
    assert len(set(pairs.drawn(seed=0, most=5))) == 5
