from __future__ import annotations

from pathlib import Path

import numpy as np

from siamese.embedded_samples import EmbeddedSamples
from siamese.samples import Sample
from siamese.validation import calibrated


def embedded(labels: list[str], *, seed: int = 0) -> EmbeddedSamples:
    """Samples whose embeddings lie around one direction for each label."""
    directions = {label: np.eye(4)[number] for number, label in enumerate(sorted(set(labels)))}
    generator = np.random.default_rng(seed)
    raw = np.stack([directions[label] for label in labels]) + generator.normal(0, 0.2, (len(labels), 4))
    rows = (raw / np.linalg.norm(raw, axis=1, keepdims=True)).astype(np.float32)
    samples = [Sample(Path(f"{n}.png"), f"{n}.png", label, str(n)) for n, label in enumerate(labels)]
    return EmbeddedSamples(tuple(samples), rows)


def test_a_calibration_counts_no_pair_of_images_twice() -> None:
    calibration = calibrated(embedded(["a"] * 6 + ["b"] * 6))
    assert calibration.pairs == 2 * (15 + 15)
    assert calibration.threshold is not None
