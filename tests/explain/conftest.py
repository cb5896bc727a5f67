"""A pair of which it is known by hand what is alike, for the trials that hide regions."""

from pathlib import Path

import pytest

from explain.sights import Sight, look
from siamese.encoder import Encoder
from tests.toys import mean_colour_encoder, mosaic, plain

FLAGS = [["black"] * 8 for _ in range(8)]
for _row in (1, 2):
    FLAGS[_row][1:3], FLAGS[_row + 4][5:7] = ["red"] * 2, ["blue"] * 2


@pytest.fixture
def encoder(tmp_path: Path) -> Encoder:
    return mean_colour_encoder(tmp_path, grid=(8, 8))


@pytest.fixture
def pair(encoder: Encoder) -> list[Sight]:
    """A red flag and a blue one in the dark; and red."""
    return look(encoder, [mosaic(FLAGS), plain("red")])
