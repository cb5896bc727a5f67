from itertools import chain

import numpy as np
import pytest
import torch

from siamese.pair_batches import PairBatch, among, images_of, pair_batches_of_epoch
from siamese.pairs import Pairs

SAME = np.arange(100) % 4 == 0


def batch(rows: list[tuple[int, int, bool]]) -> PairBatch:
    """A batch whose image at row i is the number 10 i."""
    pairs = Pairs.of(rows)
    images = images_of(pairs)
    return PairBatch(torch.tensor(images)[:, None] * 10.0, None, among(images, pairs))


def told(taught: PairBatch) -> set[tuple[float, float, bool]]:
    """The pairs of a batch by what their images are, in both directions."""
    alike, like, unlike, other = taught.indices
    pixels = taught.inputs[:, 0]
    same = {(float(a), float(b), True) for a, b in zip(pixels[alike], pixels[like], strict=True)}
    return same | {(float(a), float(b), False) for a, b in zip(pixels[unlike], pixels[other], strict=True)}


@pytest.mark.parametrize("batch_size", [4, 10, 16, 300])
def test_every_pair_is_learned_from_once_in_an_epoch(batch_size: int) -> None:
    batches = pair_batches_of_epoch(SAME, batch_size=batch_size, seed=0, epoch=0)
    assert sorted(chain.from_iterable(batches)) == list(range(100))
    assert max(map(len, batches)) <= batch_size // 2 and min(map(len, batches)) >= 2


def test_every_batch_has_pairs_of_both_kinds() -> None:
    for taught in pair_batches_of_epoch(SAME, batch_size=20, seed=0, epoch=0):
        assert 1 <= SAME[taught].sum() <= 4


def test_identical_seeds_and_epochs_make_identical_batches() -> None:
    first, again, later = (pair_batches_of_epoch(SAME, batch_size=20, seed=0, epoch=n) for n in (0, 0, 1))
    assert first == again != later


def test_the_loss_is_told_each_pair_in_both_directions() -> None:
    assert told(batch([(2, 5, True), (5, 3, False)])) == {
        (20, 50, True),
        (50, 20, True),
        (50, 30, False),
        (30, 50, False),
    }


def test_halves_share_the_pairs_and_hold_the_images_of_theirs() -> None:
    rows = [(n, n + 1, n % 2 == 0) for n in range(8)]
    whole = batch(rows)
    halves = whole.halves()
    assert told(halves[0]) | told(halves[1]) == told(whole)
    assert not told(halves[0]) & told(halves[1])
    for half in halves:
        assert half.pairs.same.sum() == 2 and len(half.pairs) == 4
        assert len(half) == len(images_of(half.pairs))
