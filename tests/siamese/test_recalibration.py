from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from siamese import recalibration
from siamese.embedded_samples import EmbeddedSamples
from siamese.pairs import Pairs
from siamese.recalibration import refit_pair, refit_shown
from tests.siamese.samples import folders


def gallery(*, spread: float, per_label: int = 60, seed: int = 0) -> EmbeddedSamples:
    """Three labels, each around an axis of its own."""
    samples = folders({"a": per_label, "b": per_label, "c": per_label})
    generator = np.random.default_rng(seed)
    raw = np.repeat(np.eye(6)[:3], per_label, axis=0) + spread * generator.normal(size=(3 * per_label, 6))
    return EmbeddedSamples(
        tuple(samples), (raw / np.linalg.norm(raw, axis=1, keepdims=True)).astype(np.float32)
    )


def test_what_is_shown_in_a_gallery_is_told_rightly_also_of_images_that_had_no_part_in_it() -> None:
    refitted = refit_shown(gallery(spread=0.6))
    assert (refitted.calibration.fitted_on, refitted.calibration.pairs) == ("shown", 1800)
    assert refitted.error is not None and refitted.floor is not None
    assert refitted.error - refitted.floor < 0.03


def test_balanced_pairs_of_a_gallery_are_refitted_too() -> None:
    refitted = refit_pair(gallery(spread=0.4))
    assert refitted.calibration.fitted_on == "pair" and (refitted.calibration.balanced_accuracy or 0) > 0.75
    assert refitted.error is not None and refitted.error < 0.08


def test_no_image_of_the_judged_fold_has_a_part_in_what_judges_it(monkeypatch: pytest.MonkeyPatch) -> None:
    images = gallery(spread=0.6)
    fitted: list[set[float]] = []
    whole = recalibration.fit_calibration

    def fit(lengths: np.ndarray, same: np.ndarray, **options: object) -> object:
        fitted.append(set(lengths.tolist()))
        return whole(lengths, same, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(recalibration, "fit_calibration", fit)
    refit_shown(images)
    every, *of_folds = fitted
    assert len(of_folds) == recalibration.FOLDS
    assert all(len(each) < 0.75 * len(every) for each in of_folds), "both ends of a pair are kept apart"


def test_a_large_gallery_asks_with_some_of_its_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recalibration, "MOST_QUERIES", 50)
    images = gallery(spread=0.6)
    assert refit_shown(images).calibration.pairs == 500
    assert refit_shown(images) == refit_shown(images)


def test_labels_that_are_never_confused_leave_nothing_to_fit() -> None:
    refitted = refit_shown(gallery(spread=0.01))
    assert refitted.calibration.threshold is None and refitted.error is None
    assert "0 different shown pairs" in str(refitted.calibration.reason)


def test_units_are_kept_apart_also_where_only_some_images_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recalibration, "MOST_QUERIES", 50)
    drawn: list[tuple[Pairs, EmbeddedSamples, NDArray[np.int64]]] = []
    folds_of = recalibration._folds

    def folds(pairs: Pairs, asking: EmbeddedSamples, images: EmbeddedSamples, *, seed: int) -> object:
        drawn.append((pairs, asking, folds_of(pairs, asking, images, seed=seed)))
        return drawn[-1][2]

    monkeypatch.setattr(recalibration, "_folds", folds)
    images = gallery(spread=0.6)
    images = replace(images, units={one.checksum: n // 3 for n, one in enumerate(images.samples)})
    refit_shown(images)
    ((pairs, asking, found),) = drawn
    queries, references = asking.apart[pairs.queries], images.apart[pairs.references]
    assert (queries != references).all()
    fold_of = set(zip([*queries, *references], found.ravel().tolist(), strict=True))
    assert len(fold_of) == len({unit for unit, _ in fold_of})
