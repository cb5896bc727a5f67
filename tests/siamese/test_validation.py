from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from siamese.embedded_samples import EmbeddedSamples, pair_distances
from siamese.samples import Sample
from siamese.shown import shown_pairs
from siamese.validation import calibrated, calibrated_on_shown


def embedded(labels: list[str], *, spread: float = 0.2, seed: int = 0) -> EmbeddedSamples:
    """Samples whose embeddings lie around one direction for each label."""
    directions = {label: np.eye(4)[number] for number, label in enumerate(sorted(set(labels)))}
    generator = np.random.default_rng(seed)
    raw = np.array([directions[label] for label in labels]).reshape(-1, 4) + generator.normal(
        0, spread, (len(labels), 4)
    )
    rows = (raw / np.linalg.norm(raw, axis=1, keepdims=True)).astype(np.float32)
    samples = [Sample(Path(f"{n}.png"), f"{n}.png", label, str(n)) for n, label in enumerate(labels)]
    return EmbeddedSamples(tuple(samples), rows)


def test_a_calibration_counts_no_pair_of_images_twice() -> None:
    calibration = calibrated(embedded(["a"] * 6 + ["b"] * 6))
    assert calibration.pairs == 2 * (15 + 15)
    assert calibration.threshold is not None


def test_what_is_shown_is_the_nearest_and_never_the_image_itself() -> None:
    images = embedded(["a"] * 15 + ["b"] * 15)
    pairs = shown_pairs(images, images, k=4)
    assert len(pairs) == 30 * 4 and not (pairs.queries == pairs.references).any()
    lengths = pair_distances(pairs, images, images).reshape(30, 4)
    assert (np.diff(lengths, axis=1) >= -1e-6).all()
    every = np.linalg.norm(images.embeddings[:, None] - images.embeddings, axis=2) + 9 * np.eye(30)
    assert lengths[:, 0] == pytest.approx(every.min(axis=1), abs=1e-6)


def test_fewer_references_than_are_shown_are_all_shown() -> None:
    few = embedded(["a", "b"])
    assert len(shown_pairs(embedded(["a"] * 5 + ["b"] * 5, seed=1), few)) == 8 * 2 + 2
    assert len(shown_pairs(embedded([]), few)) == 0


def test_both_calibrations_say_what_they_were_fitted_on() -> None:
    images = embedded(["a", "b", "c"] * 20, spread=1.0)
    others = embedded(["b", "c", "a"] * 20, spread=1.0, seed=1)
    assert calibrated(images).fitted_on == "pair"
    shown = calibrated_on_shown(images, others)
    assert (shown.fitted_on, shown.pairs) == ("shown", 60 * 10)


def test_without_validation_images_nothing_is_fitted_on_what_is_shown() -> None:
    images = embedded(["a", "b"])
    for asking, answering in ((embedded([]), images), (images, embedded([]))):
        assert "validation images" in str(calibrated_on_shown(asking, answering).reason)
