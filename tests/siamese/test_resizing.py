from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from siamese import checkpoint
from siamese.encoder import Encoder
from siamese.heads import Heads
from siamese.resizing import resized
from tests.toys import (
    BLUE_PAIRS,
    colour_labels,
    fitted_at,
    mean_colour_checkpoint,
    mean_colour_encoder,
    noise,
    put_heads,
)


def test_a_larger_square_makes_a_finer_grid_whose_mean_is_still_the_embedding(tmp_path: Path) -> None:
    encoder = mean_colour_encoder(tmp_path, fit="pad")
    finer = resized(encoder, 64)
    assert (encoder.grid, finer.grid) == ((4, 4), (8, 8))
    assert finer.fingerprint != encoder.fingerprint
    embedded = finer.embed([finer.prepare(noise(0, size=(90, 50)))])
    mean = embedded.local_embeddings[0].mean(axis=(0, 1))
    assert embedded.embeddings[0] == pytest.approx(mean / np.linalg.norm(mean), abs=1e-6)


def test_the_same_size_is_the_same_encoder(tmp_path: Path) -> None:
    encoder = mean_colour_encoder(tmp_path)
    assert resized(encoder, encoder.preprocessing.image_size) is encoder


def test_what_was_fitted_to_distances_at_the_old_size_is_left_out_with_the_reason(tmp_path: Path) -> None:
    path = mean_colour_checkpoint(tmp_path / "c", calibration=fitted_at(0.5))
    encoder = Encoder.load(put_heads(path, Heads(BLUE_PAIRS, colour_labels())), device="cpu")
    finer = resized(encoder, 64)
    for calibration in (finer.calibration, finer.record.shown):
        assert calibration.threshold is None
        assert "fitted at 32 pixels does not hold at 64" in (calibration.reason or "")
    assert finer.heads.pair is None and finer.heads.classes is not None
    assert finer.record.heads is not None and "fitted at 32 pixels" in (finer.record.heads.reason or "")


def test_it_is_kept_and_loaded_like_any_other(tmp_path: Path) -> None:
    path = mean_colour_checkpoint(tmp_path / "c", calibration=fitted_at(0.5))
    finer = resized(Encoder.load(put_heads(path, Heads(BLUE_PAIRS)), device="cpu"), 64)
    checkpoint.save(tmp_path / "finer", finer.network, finer.record, heads=finer.heads)
    again = Encoder.load(tmp_path / "finer", device="cpu")
    assert (again.record, again.grid) == (finer.record, (8, 8))
