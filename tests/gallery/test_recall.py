"""The true nearest, against which recall and nearest pairs are measured."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.index import recall
from gallery.index.recall import nearest_positions
from gallery.segments.embeddings import Embeddings, Part


@given(seed=st.integers(0, 100), rows=st.integers(5, 40), split=st.integers(1, 4), block=st.integers(1, 12))
def test_the_nearest_of_all_blocks_and_parts_are_those_of_an_exact_search(
    seed: int, rows: int, split: int, block: int
) -> None:
    vectors = np.random.default_rng(seed).standard_normal((rows, 6), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    embeddings = Embeddings(
        6, [Part(np.arange(split), vectors[:split]), Part(np.arange(split, rows), vectors[split:])]
    )
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(recall, "BLOCK", block)
        found = nearest_positions(embeddings, vectors[:3], 5)
    exact = np.argsort(-(vectors[:3] @ vectors.T), axis=1, kind="stable")[:, :5]
    np.testing.assert_array_equal(found, exact)
