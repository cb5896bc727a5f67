from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from siamese.batches import batches_of_epoch


def batches(labels: list[int], *, seed: int = 0, epoch: int = 0, size: int = 16) -> list[list[int]]:
    return batches_of_epoch(labels, batch_size=size, images_per_label=4, seed=seed, epoch=epoch)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=120))
@settings(max_examples=80, deadline=None)
def test_every_image_is_seen_in_every_epoch_and_no_batch_is_too_large(labels: list[int]) -> None:
    dealt = batches(labels)
    assert {position for batch in dealt for position in batch} == set(range(len(labels)))
    assert max(len(batch) for batch in dealt) <= 16


@given(st.lists(st.integers(0, 5), min_size=1, max_size=120))
@settings(max_examples=80, deadline=None)
def test_every_image_meets_another_of_its_label_where_there_is_one_and_never_itself(
    labels: list[int],
) -> None:
    counts = Counter(labels)
    for batch in batches(labels):
        assert len(batch) == len(set(batch))
        for label, present in Counter(labels[position] for position in batch).items():
            assert present >= min(2, counts[label])


def test_every_batch_resembles_the_whole() -> None:
    labels = [0] * 300 + [1] * 100
    for batch in batches(labels, size=32)[:-1]:
        assert 1 <= Counter(labels[position] for position in batch)[1] / 4 <= 3


def test_seed_and_epoch_decide_the_batches() -> None:
    labels = [0] * 30 + [1] * 30
    assert batches(labels, seed=1, epoch=2) == batches(labels, seed=1, epoch=2)
    assert batches(labels, seed=1, epoch=2) != batches(labels, seed=1, epoch=3)
    assert batches(labels, seed=1, epoch=2) != batches(labels, seed=2, epoch=2)


def test_the_labels_need_no_order() -> None:
    labels = np.random.default_rng(0).integers(0, 4, 100).tolist()
    for batch in batches(labels):
        for start in range(0, len(batch), 4):
            assert len({labels[position] for position in batch[start : start + 4]}) == 1
