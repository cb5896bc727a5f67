"""Recalibration: what the distances of an encoder mean on other labelled images than it was trained with."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from siamese.calibration import Calibration, FittedOn, fit_calibration
from siamese.embedded_samples import EmbeddedSamples, pairs_between
from siamese.pairs import Pairs
from siamese.reliability import Reliability
from siamese.retrieval import distances
from siamese.shown import SHOWN, shown_pairs

SEED = 0
# Images that ask: ten thousand shown pairs, which fix two numbers well, and a second or so of work.
MOST_QUERIES = 1000
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Refitted:
    """A calibration fitted on all pairs of a kind, and what cross-validation over images says of such a fit.

    `error` is the ECE of probabilities that were told of each pair by a calibration fitted without any image
    of its query's fold, `floor` what a perfectly calibrated score shows by noise alone; None where no
    calibration could be fitted, or some fold has too few pairs.
    """

    calibration: Calibration
    error: float | None
    floor: float | None


def refit_shown(
    images: EmbeddedSamples, *, asking: EmbeddedSamples | None = None, k: int = SHOWN, seed: int = SEED
) -> Refitted:
    """Fit on the first `k` that a search among the images shows: to `asking`, or to each itself."""
    some = _some(images if asking is None else asking, seed=seed)
    return _refit(shown_pairs(some, images, k=k), some, images, "shown", seed=seed)


def refit_pair(
    images: EmbeddedSamples, *, asking: EmbeddedSamples | None = None, seed: int = SEED
) -> Refitted:
    """Fit on balanced pairs of one of `asking` and one of the images, or of two images, each pair once."""
    if asking is not None:
        some = _some(asking, seed=seed)
        return _refit(pairs_between(some, images, seed=seed), some, images, "pair", seed=seed)
    some = _some(images, seed=seed)
    return _refit(pairs_between(some, some, seed=seed).distinct(seed=seed), some, some, "pair", seed=seed)


def _some(images: EmbeddedSamples, *, seed: int) -> EmbeddedSamples:
    """All images, or as many as may ask, drawn with the seed."""
    count = len(images.samples)
    if count <= MOST_QUERIES:
        return images
    kept = np.sort(np.random.default_rng(seed).choice(count, MOST_QUERIES, replace=False))
    samples = tuple(images.samples[at] for at in kept)
    return replace(images, samples=samples, embeddings=images.embeddings[kept])


def _refit(
    pairs: Pairs, asking: EmbeddedSamples, images: EmbeddedSamples, fitted_on: FittedOn, *, seed: int
) -> Refitted:
    lengths = distances(asking.embeddings[pairs.queries], images.embeddings[pairs.references])
    calibration = fit_calibration(lengths, pairs.same, fitted_on=fitted_on)
    told = _told_by_others(pairs, lengths, _folds(pairs, asking, images, seed=seed), fitted_on)
    if calibration.threshold is None or told is None:
        return Refitted(calibration, None, None)
    reliability = Reliability(told, pairs.same)
    return Refitted(calibration, reliability.expected_error(), reliability.floor(seed=seed))


def _folds(pairs: Pairs, asking: EmbeddedSamples, images: EmbeddedSamples, *, seed: int) -> NDArray[np.int64]:
    """(2, pairs) the fold of each pair's query and of its reference: a unit is in one fold, always."""
    units = np.unique(np.concatenate([asking.apart, images.apart]))
    fold = np.random.default_rng(seed).permutation(len(units)) % FOLDS
    ends = asking.apart[pairs.queries], images.apart[pairs.references]
    return np.stack([fold[np.searchsorted(units, end)] for end in ends])


def _told_by_others(
    pairs: Pairs, lengths: NDArray[np.float64], folds: NDArray[np.int64], fitted_on: FittedOn
) -> NDArray[np.float64] | None:
    """(pairs,) the probability of each by a calibration that no image of its query's fold had a part in."""
    told = np.empty(len(pairs))
    for fold in range(FOLDS):
        apart = (folds != fold).all(axis=0)
        judged = folds[0] == fold
        fitted = fit_calibration(lengths[apart], pairs.same[apart], fitted_on=fitted_on)
        probabilities = fitted.probabilities(lengths[judged])
        if probabilities is None:
            return None
        told[judged] = probabilities
    return told
