"""Decisions tested by hiding: verdicts that flip, and matches that lose their rank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from explain.evidence import Verdict
from explain.faithfulness import mean_measure
from explain.maps import Floats
from explain.named_maps import RANDOM, RELEVANCE
from siamese.intervals import CONFIDENCE, Bootstrap
from siamese.measured import Measure

Embedding = NDArray[np.float32]
WhichSide = Literal["query", "matched"]
FillName = Literal["blur", "imputation"]

NO_VERDICTS = "no pair of the kind has this verdict"
NO_THRESHOLD = "the encoder was calibrated on no pairs, so it gives no verdicts"


class FlipRate(BaseModel, frozen=True):
    """The share of verdicts that turn when a map's 20 % is hidden; `lead` is the relevance map's over it."""

    name: str
    rate: Measure
    lead: Measure


class Flips(BaseModel, frozen=True):
    """What became of the verdicts `verdict` when 20 % of one picture was hidden by each map.

    Of "same" the hottest cells are hidden, of "different" the coldest, which keep the images apart. `times`
    is how many times as many flip by the relevance map as by chance, null where none does by chance, and
    without an interval where too few do to bound it.
    """

    verdict: Verdict
    side: WhichSide
    fill: FillName
    pairs: int
    maps: tuple[FlipRate, ...]
    times: Measure


class RankDrop(BaseModel, frozen=True):
    """The ranks of the matches, from 1, when a map's hottest 20 % of one picture is blurred.

    `first` is the share of matches that are still the nearest image of all.
    """

    name: str
    side: WhichSide
    median_before: float
    median: float
    mean: Measure
    first: Measure


@dataclass(frozen=True, slots=True, eq=False)
class Decided:
    """One pair: both embeddings (D,), and what hiding makes of one.

    `hidden` has, by map, the embedding of the picture of the side that was hidden in; (D,), zero where none.
    """

    partner: Embedding
    whole: Embedding
    hidden: dict[str, Embedding]

    def verdict(self, threshold: float) -> Verdict:
        """The verdict on the whole pictures."""
        return _verdict(self.whole, self.partner, threshold)

    def flipped(self, name: str, threshold: float) -> bool:
        """Whether the verdict is another one with this map's cells hidden."""
        return _verdict(self.hidden[name], self.partner, threshold) != self.verdict(threshold)


def measure_flips(
    pairs: Sequence[Decided],
    *,
    verdict: Verdict,
    side: WhichSide,
    fill: FillName,
    threshold: float | None,
    seed: int,
) -> Flips:
    """Measure how many verdicts of one kind flip, map by map."""
    kept = [each for each in pairs if threshold is not None and each.verdict(threshold) == verdict]
    reason = NO_THRESHOLD if threshold is None else NO_VERDICTS
    names = tuple(pairs[0].hidden) if pairs else ()
    flipped = {
        name: np.array([threshold is not None and each.flipped(name, threshold) for each in kept], float)
        for name in names
    }
    bootstrap = Bootstrap.of(max(len(kept), 1), seed=seed)

    def told(values: Floats) -> Measure:
        return mean_measure(values, bootstrap, reason=reason)

    rates = tuple(
        FlipRate(name=name, rate=told(each), lead=told(flipped[RELEVANCE] - each))
        for name, each in flipped.items()
    )
    times = _times(flipped[RELEVANCE], flipped[RANDOM], bootstrap) if kept else Measure(reason=reason)
    return Flips(verdict=verdict, side=side, fill=fill, pairs=len(kept), maps=rates, times=times)


def measure_rank_drop(
    name: str, side: WhichSide, before: NDArray[np.integer], after: NDArray[np.integer], bootstrap: Bootstrap
) -> RankDrop:
    """Measure the ranks (n,) of the matches before and after the hiding."""
    return RankDrop(
        name=name,
        side=side,
        median_before=float(np.median(before)),
        median=float(np.median(after)),
        mean=mean_measure(after.astype(np.float64), bootstrap),
        first=mean_measure((after == 1).astype(np.float64), bootstrap),
    )


def rank_of(query: Embedding, matched: Embedding, others: NDArray[np.float32]) -> int:
    """Return the rank, from 1, of a matched image among others (n, D), ties in its favour."""
    return 1 + int((np.linalg.norm(others - query, axis=1) < np.linalg.norm(matched - query)).sum())


def _verdict(one: Embedding, other: Embedding, threshold: float) -> Verdict:
    return "same" if float(np.linalg.norm(one.astype(np.float64) - other)) <= threshold else "different"


def _times(hot: Floats, chance: Floats, bootstrap: Bootstrap) -> Measure:
    if not chance.any():
        return Measure(reason="hiding by chance flips none of them")
    value = float(hot.sum() / chance.sum())
    ratios = bootstrap.means(hot, chance)
    if np.isposinf(ratios).mean() > (1 - CONFIDENCE) / 2:  # another draw may have none by chance
        return Measure(value=value, reason="too few of them flip by chance to bound it")
    greatest = ratios[np.isfinite(ratios)].max()
    return Measure(value=value, interval=bootstrap.interval(value, np.minimum(ratios, greatest)))
