from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from siamese.encoder import Encoder
from siamese.preprocessing import Preprocessing
from siamese.randomisation import cascade
from tests.toys import mean_colour_encoder, noise


@pytest.fixture
def encoder() -> Encoder:
    return Encoder.from_body("small", weights="none", preprocessing=Preprocessing(image_size=32))


def weights(encoder: Encoder) -> dict[str, np.ndarray]:
    return {name: each.numpy().copy() for name, each in encoder.network.named_parameters()}


def test_weights_are_lost_from_the_last_to_the_first_and_the_encoder_keeps_its_own(encoder: Encoder) -> None:
    before = weights(encoder)
    lost = []
    for _, redrawn in cascade(encoder, seed=0):
        after = weights(redrawn)
        lost.append({name for name in before if not np.array_equal(before[name], after[name])})
    assert all(earlier < later for earlier, later in pairwise(lost))
    assert lost[-1] == {name for name in before if before[name].std() > 0}
    assert all(np.array_equal(before[name], each) for name, each in weights(encoder).items())


def test_what_is_redrawn_is_named_and_the_last_is_everything(encoder: Encoder, tmp_path) -> None:
    names = [name for name, _ in cascade(encoder, seed=0)]
    assert names[-1] == "everything" and "last" in names[0]
    toy = mean_colour_encoder(tmp_path)
    assert next(iter(cascade(toy, seed=0)))[0] == "linear layer"


def test_equal_seeds_draw_equal_weights_and_the_embeddings_stay_finite(encoder: Encoder) -> None:
    prepared = [encoder.prepare(noise(0))]
    drawn = [[each.local_embeddings(prepared) for _, each in cascade(encoder, seed=3)] for _ in range(2)]
    assert all(np.array_equal(one, other) for one, other in zip(*drawn, strict=True))
    assert all(np.isfinite(each).all() for each in drawn[0])
