"""The pairs of a trial of evidence, and their pictures.

Each query is paired with its best match, the nearest reference of its label, and for verdicts "different"
with the nearest of another label.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from siamese.images import ImageLimits
from siamese.preprocessing import Preprocessing
from siamese.samples import image_of
from siamese.scaled_image import ScaledImage
from siamese.trial import Trial


@dataclass(frozen=True, slots=True)
class ChosenPair:
    """Positions of a query, of the nearest reference of its label, and of the nearest of another, if any."""

    query: int
    same: int
    different: int | None


def choose_pairs(trial: Trial, *, count: int, seed: int) -> list[ChosenPair]:
    """Draw so many queries that have something to find, with references that are never of their own unit."""
    asked = np.flatnonzero(trial.ranked.asked)
    drawn = np.random.default_rng(seed).permutation(asked)[:count]
    return [_nearest(trial, int(query)) for query in drawn]


def pair_images(
    trial: Trial, pair: ChosenPair, preprocessing: Preprocessing, *, limits: ImageLimits
) -> list[ScaledImage]:
    """Return the query, its match and the image of another label, if any. Raises UnreadableImage."""
    references = trial.references.samples
    samples = [trial.queries.samples[pair.query], references[pair.same]]
    if pair.different is not None:
        samples.append(references[pair.different])
    return [image_of(sample, preprocessing, limits=limits) for sample in samples]


def _nearest(trial: Trial, query: int) -> ChosenPair:
    queries, references = trial.queries, trial.references
    cosines = references.embeddings @ queries.embeddings[query]
    allowed = references.apart != queries.apart[query]
    same = references.labels == queries.labels[query]
    best, other = (np.where(allowed & some, cosines, -np.inf) for some in (same, ~same))
    different = int(other.argmax()) if np.isfinite(other).any() else None
    return ChosenPair(query, int(best.argmax()), different)
