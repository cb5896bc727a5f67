"""Why two images are near or far: both maps on both images, and the number they explain."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from explain import maps
from explain.errors import MapMismatch, NotFinite
from explain.maps import Floats, Local, Pairs
from explain.scores import COSINE, Directed, Score

Grid = NDArray[np.float32]
Verdict = Literal["same", "different"]
BaselineFrom = Literal["threshold", "gallery", "none"]
"""Where a verdict turns, what two images of the gallery usually do not exceed, or nothing: 0."""


@dataclass(frozen=True, slots=True)
class Explained:
    """The number that a piece of evidence explains.

    `value` is the number, `baseline` what the maps are measured from and `baseline_from` why (the number at
    the verdict's threshold; without a verdict the usual one of a gallery, else 0), `method` how the maps were
    made. A class score belongs to a `label` and to one image, not to the pair: `value` is then the matched
    image's, `query_value` the query's, and the baseline is 0, where an image shows the label as much as the
    others on the average; else both are None.
    """

    of: str
    value: float
    baseline: float
    method: str
    label: str | None = None
    query_value: float | None = None
    baseline_from: BaselineFrom = "none"

    def __post_init__(self) -> None:
        if (self.label is None) != (self.query_value is None):
            raise ValueError("The number of a label, and no other, is told of the query too.")
        if not all(map(math.isfinite, (self.value, self.baseline, self.query_value or 0.0))):
            raise NotFinite(f"The {self.of} explained must be finite, but it is {self.value}.")


@dataclass(frozen=True, slots=True)
class Side:
    """One image's part: what supports the verdict and what speaks against it, each (h, w), >= 0, disjoint."""

    factual: Grid
    counterfactual: Grid

    def __post_init__(self) -> None:
        if self.factual.shape != self.counterfactual.shape or self.factual.ndim != 2:
            raise MapMismatch(
                "The factual and counterfactual maps of an image are (h, w), the same for both."
            )
        for grid in (self.factual, self.counterfactual):
            _refuse_improper(grid)

    @classmethod
    def all_of(cls, factual: Grid, counterfactual: Grid) -> list[Side]:
        """Return a side for each of the maps (k, h, w); all proven at once, because a search makes twenty."""
        for grids in (factual, counterfactual):
            _refuse_improper(grids)
        made = []
        for parts in zip(factual, counterfactual, strict=True):
            side = object.__new__(cls)
            for name, grid in zip(cls.__slots__, parts, strict=True):
                object.__setattr__(side, name, grid)
            made.append(side)
        return made


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why one pair is near or far.

    On each image, factual minus counterfactual summed is `value - baseline` where the score's maps add up
    (those by Grad-CAM do not: the distance's, and all of a foreign network), and its negative for the verdict
    "different". For a class score it is each image's own score, whatever the verdict.
    """

    query: Side
    matched: Side
    explained: Explained


def explain(
    query: Local,
    matched: Local,
    *,
    of: Score = COSINE,
    threshold: float | None = None,
    verdict: Verdict | None = None,
    usual: float | None = None,
    query_embedding: Local | None = None,
    matched_embedding: Local | None = None,
) -> Evidence:
    """Explain one pair by its local embeddings (h, w, D) and (h', w', D); see `explain_matches`."""
    embeddings = None if matched_embedding is None else matched_embedding[None]
    return explain_matches(
        query,
        matched[None],
        of=of,
        threshold=threshold,
        verdicts=[verdict],
        usual=usual,
        query_embedding=query_embedding,
        matched_embeddings=embeddings,
    )[0]


def explain_matches(
    query: Local,
    matched: Local,
    *,
    of: Score = COSINE,
    threshold: float | None = None,
    verdicts: Sequence[Verdict | None] | None = None,
    usual: float | None = None,
    query_embedding: Local | None = None,
    matched_embeddings: Local | None = None,
) -> list[Evidence]:
    """Explain every match of a query by the local embeddings (h, w, D) and (k, h', w', D).

    `threshold` is the distance at which the `verdicts` turn. A match without a verdict is read as "same" from
    the cosine `usual`, which two images of its gallery usually do not exceed, or from a baseline of 0.  With
    the exact unit embeddings (D,) and (k, D) beside stored local embeddings, the number explained is the
    match's own, and what int8 lost of it is spread over the seen cells with the baseline.  Where either image
    has no embedding (it is zero) the maps are blank.

    Raises MapMismatch, NotFinite, and ExplainError where a verdict comes without the threshold it needs.
    """
    pairs = Pairs.of(query, matched, query_embedding=query_embedding, matched_embeddings=matched_embeddings)
    values = of.values(pairs)
    query_values = values if of.label is None else of.query_values(pairs)
    verdicts = _checked(verdicts, len(values))
    origins = [_origin(of, verdict, usual) for verdict in verdicts]
    baselines = np.array([_baseline(of, verdict, threshold, usual) for verdict in verdicts])
    signs = np.array([supporting_sign(of, v) for v in verdicts])
    signed = maps.signed_maps(pairs, of.gradients(pairs))
    if of.adds_up:
        totals = [(each - baselines) * maps.comparable(pairs) for each in (query_values, values)]
        signed = maps.summing_to(totals[0], signed[0], query), maps.summing_to(totals[1], signed[1], matched)
    queries, matches = (sides(each * signs[:, None, None]) for each in signed)
    explained = _explained(of, values, query_values, baselines, origins)
    return [Evidence(*parts) for parts in zip(queries, matches, explained, strict=True)]


def supporting_sign(of: Directed, verdict: Verdict | None) -> int:
    """Return +1 where what raises the number is factual, -1 where what lowers it is."""
    return (-of.towards_same if verdict == "different" else of.towards_same) or 1


def sides(supporting: Floats) -> list[Side]:
    """Split signed maps (k, h, w), positive where they support the verdict, into their parts."""
    factual = np.maximum(supporting, 0).astype(np.float32)
    counterfactual = np.maximum(-supporting, 0).astype(np.float32)
    return Side.all_of(factual, counterfactual)


def _refuse_improper(grids: Grid) -> None:
    if grids.size and not (grids.min() >= 0 and grids.max() < np.inf):
        raise NotFinite("A map's values must be finite and not negative.")


def _checked(verdicts: Sequence[Verdict | None] | None, count: int) -> Sequence[Verdict | None]:
    verdicts = [None] * count if verdicts is None else verdicts
    if len(verdicts) != count:
        raise MapMismatch(
            f"Every match needs its verdict or None: {count} matches, {len(verdicts)} verdicts."
        )
    return verdicts


def _baseline(of: Score, verdict: Verdict | None, threshold: float | None, usual: float | None) -> float:
    return of.baseline(threshold) if verdict is not None else of.usual(usual) or 0.0


def _origin(of: Score, verdict: Verdict | None, usual: float | None) -> BaselineFrom:
    """A score whose maps sum to zero, or of a label, has no threshold: it is measured from 0."""
    if verdict is not None:
        return "threshold" if of.adds_up and of.label is None else "none"
    return "none" if of.usual(usual) is None else "gallery"


def _explained(
    of: Score, values: Floats, query_values: Floats, baselines: Floats, origins: Sequence[BaselineFrom]
) -> list[Explained]:
    numbers = zip(values.tolist(), baselines.tolist(), query_values.tolist(), origins, strict=True)
    return [
        Explained(of.of, value, baseline, of.method, of.label, None if of.label is None else of_query, origin)
        for value, baseline, of_query, origin in numbers
    ]
