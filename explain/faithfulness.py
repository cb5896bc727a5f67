"""Faithfulness: whether hiding what a map calls hot moves the score more than hiding anything else.

Plain values. Every interval is a 95 % bootstrap interval over the query images; every lead is paired, the
same images, steps and fills for both maps, and positive where the relevance map does better.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from pydantic import BaseModel

from explain.maps import Floats
from explain.named_maps import RELEVANCE
from explain.perturbing import Perturbed, area
from siamese.intervals import Bootstrap
from siamese.measured import Measure

PerturbedByMap = dict[str, Perturbed]

LEAST_DROP = 0.1
"""Of the cosine between the whole picture and the blurred one: a curve over less cannot be normalised."""
NOTHING_DROPS = "blurring a whole picture hardly changes the cosine of any pair"
NO_PAIRS = "there is no pair to measure"


class SideFaithfulness(BaseModel, frozen=True):
    """One map on one picture of each pair, the other picture left whole.

    `deletion` (less is better) and `insertion` (more is better) are areas under the cosine; the same
    `_normalised` so that the whole picture is 1 and the blurred one 0; `road` is (LeRF - MoRF) / 2.
    """

    deletion: Measure
    insertion: Measure
    road: Measure
    deletion_normalised: Measure
    insertion_normalised: Measure


class SideCurves(BaseModel, frozen=True):
    """Mean cosines over the pairs at equal shares of the seen area, from 0 to 1."""

    deletion: tuple[float, ...]
    insertion: tuple[float, ...]


class MapOnSide(BaseModel, frozen=True):
    """What was measured of one map on one picture; `lead` is how far the relevance map is ahead of it."""

    value: SideFaithfulness
    lead: SideFaithfulness
    curves: SideCurves


class MapFaithfulness(BaseModel, frozen=True):
    """One map by its name, on the query and on the matched image."""

    name: str
    query: MapOnSide
    matched: MapOnSide


def measure_maps(
    queries: Sequence[PerturbedByMap], matches: Sequence[PerturbedByMap], bootstrap: Bootstrap
) -> tuple[MapFaithfulness, ...]:
    """Measure every map over all pairs, in the order in which the maps are given."""
    names = tuple(queries[0]) if queries else ()
    return tuple(
        MapFaithfulness(
            name=name, query=_on_side(queries, name, bootstrap), matched=_on_side(matches, name, bootstrap)
        )
        for name in names
    )


def normalised(curve: Floats, *, whole: float, blank: float) -> Floats:
    """Return the curve with the whole picture at 1 and the blurred one at 0; NaN where they are too near."""
    drop = whole - blank
    return (curve - blank) / drop if drop >= LEAST_DROP else np.full(len(curve), np.nan)


def mean_measure(values: Floats, bootstrap: Bootstrap, *, reason: str = NO_PAIRS) -> Measure:
    """Return the mean of one number for each pair (n,), NaN left out, with its interval."""
    told = np.isfinite(values)
    if not told.any():
        return Measure(reason=reason)
    value = float(values[told].mean())
    means = bootstrap.means(np.where(told, values, 0.0), told.astype(np.float64))
    return Measure(value=value, interval=bootstrap.interval(value, means))


def _on_side(pairs: Sequence[PerturbedByMap], name: str, bootstrap: Bootstrap) -> MapOnSide:
    own, best = [each[name] for each in pairs], [each[RELEVANCE] for each in pairs]
    values, leads = {}, {}
    for figure, (measured, sign) in FIGURES.items():
        numbers, of_best = (np.array([measured(each) for each in some]) for some in (own, best))
        values[figure] = mean_measure(numbers, bootstrap, reason=NOTHING_DROPS)
        leads[figure] = mean_measure(sign * (of_best - numbers), bootstrap, reason=NOTHING_DROPS)
    return MapOnSide(value=SideFaithfulness(**values), lead=SideFaithfulness(**leads), curves=_curves(own))


def _curves(pairs: Sequence[Perturbed]) -> SideCurves:
    deletion, insertion = (
        np.mean([getattr(each, kind) for each in pairs], axis=0).tolist()
        for kind in ("deletion", "insertion")
    )
    return SideCurves(deletion=tuple(deletion), insertion=tuple(insertion))


def _normalised_area(pair: Perturbed, curve: Floats) -> float:
    return area(normalised(curve, whole=float(pair.deletion[0]), blank=float(pair.deletion[-1])))


# By name: how it is measured of a pair, and +1 where more is better.
FIGURES: dict[str, tuple[Callable[[Perturbed], float], int]] = {
    "deletion": (lambda pair: area(pair.deletion), -1),
    "insertion": (lambda pair: area(pair.insertion), 1),
    "road": (lambda pair: pair.road, 1),
    "deletion_normalised": (lambda pair: _normalised_area(pair, pair.deletion), -1),
    "insertion_normalised": (lambda pair: _normalised_area(pair, pair.insertion), 1),
}
