"""Why two images are near or far: both maps on both images, and the number they explain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from explain import maps
from explain.errors import ExplainError, MapMismatch, NotFinite
from explain.maps import Floats, Local, Pairs
from explain.scores import COSINE, Score

Grid = NDArray[np.float32]
Verdict = Literal["same", "different"]


@dataclass(frozen=True, slots=True)
class Explained:
    """The number that a piece of evidence explains.

    `value` is the number, `baseline` what the maps are measured from (the number at the verdict's threshold;
    0 without a verdict), `method` how the maps were made.
    """

    of: str
    value: float
    baseline: float
    method: str

    def __post_init__(self) -> None:
        if not np.isfinite([self.value, self.baseline]).all():
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
            if not (grid.min() >= 0 and grid.max() < np.inf):
                raise NotFinite("A map's values must be finite and not negative.")


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why one pair is near or far.

    On each image, factual minus counterfactual summed is `value - baseline` where the score's maps add up
    (the cosine's do), and its negative for the verdict "different".
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
    query_embedding: Local | None = None,
    matched_embeddings: Local | None = None,
) -> list[Evidence]:
    """Explain every match of a query by the local embeddings (h, w, D) and (k, h', w', D).

    `threshold` is the distance at which the `verdicts` turn; a match without a verdict is read as "same"
    from a baseline of 0.  With the exact unit embeddings (D,) and (k, D) beside stored local embeddings, the
    number explained is the match's own, and what int8 lost of it is spread over the seen cells with the
    baseline.  Where either image has no embedding (it is zero) the maps are blank.

    Raises MapMismatch and NotFinite.
    """
    pairs = Pairs.of(query, matched, query_embedding=query_embedding, matched_embeddings=matched_embeddings)
    values = of.values(pairs)
    verdicts = _checked(verdicts, len(values), threshold)
    baselines = np.array(
        [0.0 if v is None or threshold is None else of.baseline(threshold) for v in verdicts]
    )
    signs = np.array([-1.0 if v == "different" else 1.0 for v in verdicts]) * of.towards_same
    signed = maps.signed_maps(pairs, of.gradients(pairs))
    if of.adds_up:
        totals = (values - baselines) * maps.comparable(pairs)
        signed = _summing_to(totals, signed[0], query), _summing_to(totals, signed[1], matched)
    queries, matches = (_sides(each * signs[:, None, None]) for each in signed)
    explained = [
        Explained(of.of, float(v), float(b), of.method) for v, b in zip(values, baselines, strict=True)
    ]
    return [Evidence(*parts) for parts in zip(queries, matches, explained, strict=True)]


def _checked(
    verdicts: Sequence[Verdict | None] | None, count: int, threshold: float | None
) -> Sequence[Verdict | None]:
    verdicts = [None] * count if verdicts is None else verdicts
    if len(verdicts) != count:
        raise MapMismatch(
            f"Every match needs its verdict or None: {count} matches, {len(verdicts)} verdicts."
        )
    if threshold is None and any(verdicts):
        raise ExplainError("A verdict is explained by its threshold: pass the distance at which it turns.")
    return verdicts


def _summing_to(totals: Floats, signed: Floats, local: Local) -> Floats:
    """Spread what is missing from `totals` (k,) evenly over the seen cells of the maps (k, h, w)."""
    seen = maps.seen_cells(local)
    counts = np.maximum(seen.sum(axis=(-2, -1)), 1)
    missing = (totals - signed.sum(axis=(-2, -1))) / counts
    spread: Floats = signed + seen * missing[:, None, None]
    return spread


def _sides(supporting: Floats) -> list[Side]:
    factual = np.maximum(supporting, 0).astype(np.float32)
    counterfactual = np.maximum(-supporting, 0).astype(np.float32)
    return [Side(*parts) for parts in zip(factual, counterfactual, strict=True)]
