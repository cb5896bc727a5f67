"""Masked regions are left out of an embedding as padding is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from siamese.encoder import Encoder
from siamese.masking import without
from tests.toys import CELL, mean_colour_encoder, mosaic, noise

HALVES = mosaic([["red", "red", "blue", "blue"]] * 4)
SIDE = 4 * CELL


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return mean_colour_encoder(tmp_path_factory.mktemp("masking"))


def test_what_is_masked_takes_no_part_in_the_embedding(encoder: Encoder) -> None:
    masked = without(
        encoder.prepare(HALVES),
        [(SIDE / 2, 0, SIDE, SIDE)],
        size=HALVES.size,
        preprocessing=encoder.preprocessing,
    )
    embedded = encoder.embed([masked])
    assert embedded.embeddings[0] == pytest.approx([1, 0, 0])
    assert not embedded.local_embeddings[0, :, 2:].any()
    assert embedded.local_embeddings[0].mean(axis=(0, 1)) == pytest.approx([1, 0, 0])


def test_a_cell_counts_as_seen_while_half_of_it_is_left(encoder: Encoder) -> None:
    def seen(right: float) -> np.ndarray:
        masked = without(
            encoder.prepare(HALVES),
            [(0, 0, right, SIDE)],
            size=HALVES.size,
            preprocessing=encoder.preprocessing,
        )
        return masked.seen[0]

    assert seen(CELL / 2).all()
    assert seen(CELL / 2 + 1).tolist() == [False, True, True, True]


def test_what_lies_under_a_mask_changes_nothing(encoder: Encoder) -> None:
    other = HALVES.copy()
    other.paste(noise(1, size=(11, 9)), (3, 5))
    first, second = (
        without(encoder.prepare(each), [(3, 5, 14, 14)], size=each.size, preprocessing=encoder.preprocessing)
        for each in (HALVES, other)
    )
    assert np.array_equal(first.tensor, second.tensor) and np.array_equal(first.seen, second.seen)


def test_padding_stays_padding_and_a_whole_mask_leaves_nothing(tmp_path: Path) -> None:
    padded = mean_colour_encoder(tmp_path, fit="pad")
    wide = mosaic([["red", "blue"]], cell=SIDE)
    prepared = padded.prepare(wide)
    half = without(prepared, [(0, 0, SIDE, SIDE)], size=wide.size, preprocessing=padded.preprocessing)
    assert half.seen.tolist() == (prepared.seen & (np.arange(4) >= 2)).tolist()
    nothing = without(prepared, [(0, 0, *wide.size)], size=wide.size, preprocessing=padded.preprocessing)
    assert not nothing.seen.any()


@given(st.tuples(*[st.floats(-10, 50)] * 4))
def test_no_region_whatever_makes_a_cell_seen_that_was_not(
    encoder: Encoder, region: tuple[float, float, float, float]
) -> None:
    prepared = encoder.prepare(HALVES)
    masked = without(prepared, [region], size=HALVES.size, preprocessing=encoder.preprocessing)
    assert not (masked.seen & ~prepared.seen).any()
    assert masked.detail is not None and not masked.detail[~masked.seen].any()
