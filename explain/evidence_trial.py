"""A trial of evidence: an encoder's maps on held-out pairs, tested by hiding regions of the pictures.

`rivals` are the maps, by name; anybody's own may be among them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from pydantic import BaseModel

from explain.errors import ExplainError
from explain.evidence_pairs import ChosenPair, choose_pairs, pair_images
from explain.faithfulness import MapFaithfulness, PerturbedByMap, measure_maps
from explain.flips import (
    Decided,
    FillName,
    Flips,
    RankDrop,
    WhichSide,
    measure_flips,
    measure_rank_drop,
    rank_of,
)
from explain.named_maps import RANDOM, RELEVANCE, MakesMaps, make_maps
from explain.named_maps import rivals as usual_rivals
from explain.perturbing import HIDDEN_SHARE, STEPS, Hiding, perturb, without_coldest
from explain.sanity import Sanity, measure_sanity
from explain.sights import Sight, look
from siamese.encoder import Encoder
from siamese.errors import UnreadableImage, ZeroEmbedding
from siamese.images import DEFAULT_LIMITS, ImageLimits
from siamese.intervals import Bootstrap
from siamese.progress import Progress, Silent
from siamese.randomisation import cascade
from siamese.trial import Trial

PAIRS = 300
"""Enough to tell a difference of 0.01 from chance where single pairs differ by 0.09."""
SANITY_PAIRS = 20
SIDES: tuple[WhichSide, ...] = ("query", "matched")
FILLS: tuple[FillName, ...] = ("blur", "imputation")


class EvidenceMeasures(BaseModel, frozen=True):
    """What hiding regions showed of the maps, and on how many pairs; see docs/evidence.md for each figure."""

    pairs: int
    different_pairs: int
    steps: int
    seed: int
    hidden_share: float
    threshold: float | None
    maps: tuple[MapFaithfulness, ...]
    flips: tuple[Flips, ...]
    ranks: tuple[RankDrop, ...]
    sanity: tuple[Sanity, ...]
    unreadable: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Found:
    """What the pairs have shown so far."""

    queries: list[PerturbedByMap] = field(default_factory=list)
    matches: list[PerturbedByMap] = field(default_factory=list)
    same: dict[tuple[WhichSide, FillName], list[Decided]] = field(default_factory=dict)
    different: dict[WhichSide, list[Decided]] = field(default_factory=dict)
    ranks: list[tuple[int, dict[str, tuple[int, int]]]] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)


def try_evidence(
    encoder: Encoder,
    trial: Trial,
    *,
    rivals: Mapping[str, MakesMaps] | None = None,
    count: int = PAIRS,
    steps: int = STEPS,
    seed: int = 0,
    limits: ImageLimits = DEFAULT_LIMITS,
    progress: Progress | None = None,
) -> EvidenceMeasures:
    """Hide regions of `count` pairs of the trial by every map, and measure what comes of it.

    Verdicts are those of a search. A pair that cannot be read any more is left out and named. `seed` draws
    pairs, random maps, noise, weights and resamples. Raises ExplainError where the relevance map or the
    random one is not among the rivals.
    """
    progress, rivals = progress or Silent(), rivals or usual_rivals(seed=seed)
    _require_compared(rivals)
    chosen = choose_pairs(trial, count=count, seed=seed)
    found = _Found()
    for pair in progress.track(chosen, description="hiding regions", total=len(chosen)):
        try:
            _try_pair(found, encoder, trial, pair, rivals, steps, seed, limits)
        except (UnreadableImage, ZeroEmbedding) as error:
            found.unreadable.append((trial.queries.samples[pair.query].uri, str(error)))
    threshold = encoder.record.for_search.threshold
    bootstrap = Bootstrap.of(max(len(found.queries), 1), seed=seed)
    return EvidenceMeasures(
        pairs=len(found.queries),
        different_pairs=len(found.different.get("query", ())),
        steps=steps,
        seed=seed,
        hidden_share=HIDDEN_SHARE,
        threshold=threshold,
        maps=measure_maps(found.queries, found.matches, bootstrap),
        flips=_flips(found, threshold, seed),
        ranks=_ranks(found, bootstrap),
        sanity=_sanity(encoder, trial, chosen[:SANITY_PAIRS], seed, limits, progress),
        unreadable=tuple(found.unreadable),
    )


def _require_compared(rivals: Mapping[str, MakesMaps]) -> None:
    """Leads are over the relevance map, and flips are counted against chance."""
    missing = [name for name in (RELEVANCE, RANDOM) if name not in rivals]
    if missing:
        raise ExplainError(
            f"Maps are compared with “{RELEVANCE}” and “{RANDOM}”, but among {', '.join(rivals)} there is no "
            f"{' and no '.join(missing)}: add them from `named_maps.rivals`."
        )


def _try_pair(
    found: _Found,
    encoder: Encoder,
    trial: Trial,
    pair: ChosenPair,
    rivals: Mapping[str, MakesMaps],
    steps: int,
    seed: int,
    limits: ImageLimits,
) -> None:
    """Everything is computed before anything is kept, so that a pair counts everywhere or nowhere."""
    images = pair_images(trial, pair, encoder.preprocessing, limits=limits)
    query, matched, *others = look(encoder, images)
    maps = make_maps(rivals, query, matched)
    sights = (query, matched), (matched, query)
    hidings = [Hiding.of(encoder, own, seed=seed) for own, _ in sights]
    perturbed = [
        perturb(hiding, other.embedding, grids, steps=steps)
        for hiding, (_, other), grids in zip(hidings, sights, maps, strict=True)
    ]
    apart = [_apart(encoder, query, other, rivals, hidings[0]) for other in others]
    found.queries.append(perturbed[0])
    found.matches.append(perturbed[1])
    for side, (own, other), each in zip(SIDES, sights, perturbed, strict=True):
        for fill in FILLS:
            left = {name: one.blurred if fill == "blur" else one.imputed for name, one in each.items()}
            decided = Decided(other.embedding, own.embedding, left)
            found.same.setdefault((side, fill), []).append(decided)
    for decisions in apart:
        for side, decided in zip(SIDES, decisions, strict=True):
            found.different.setdefault(side, []).append(decided)
    found.ranks.append(_ranked(trial, pair, query, matched, perturbed))


def _apart(
    encoder: Encoder, query: Sight, other: Sight, rivals: Mapping[str, MakesMaps], hiding: Hiding
) -> tuple[Decided, Decided]:
    """The pair of two labels with what keeps it apart hidden: in the query, and in the other image."""
    maps = make_maps(rivals, query, other)
    return (
        Decided(other.embedding, query.embedding, without_coldest(hiding, maps[0])),
        Decided(query.embedding, other.embedding, without_coldest(Hiding.of(encoder, other), maps[1])),
    )


def _ranked(
    trial: Trial, pair: ChosenPair, query: Sight, matched: Sight, perturbed: list[PerturbedByMap]
) -> tuple[int, dict[str, tuple[int, int]]]:
    """The rank of the match, and by map its ranks with the query's hottest cells hidden, and with its own."""
    allowed = trial.references.apart != trial.queries.apart[pair.query]
    allowed[pair.same] = False
    others = trial.references.embeddings[allowed]
    after = {
        name: (
            rank_of(perturbed[0][name].blurred, matched.embedding, others),
            rank_of(query.embedding, perturbed[1][name].blurred, others),
        )
        for name in perturbed[0]
    }
    return rank_of(query.embedding, matched.embedding, others), after


def _flips(found: _Found, threshold: float | None, seed: int) -> tuple[Flips, ...]:
    same = [
        measure_flips(pairs, verdict="same", side=side, fill=fill, threshold=threshold, seed=seed)
        for (side, fill), pairs in found.same.items()
    ]
    different = [
        measure_flips(pairs, verdict="different", side=side, fill="blur", threshold=threshold, seed=seed)
        for side, pairs in found.different.items()
    ]
    return (*same, *different)


def _ranks(found: _Found, bootstrap: Bootstrap) -> tuple[RankDrop, ...]:
    before = np.array([rank for rank, _ in found.ranks])
    names = found.ranks[0][1] if found.ranks else {}
    return tuple(
        measure_rank_drop(
            name, side, before, np.array([after[name][at] for _, after in found.ranks]), bootstrap
        )
        for at, side in enumerate(SIDES)
        for name in names
    )


def _sanity(
    encoder: Encoder,
    trial: Trial,
    chosen: list[ChosenPair],
    seed: int,
    limits: ImageLimits,
    progress: Progress,
) -> tuple[Sanity, ...]:
    pairs = []
    for pair in chosen:
        try:
            query, matched, *_ = pair_images(trial, pair, encoder.preprocessing, limits=limits)
        except UnreadableImage:
            continue  # named before
        pairs.append((query, matched))
    random = progress.track(cascade(encoder, seed=seed), description="re-drawing weights")
    return measure_sanity(encoder, random, pairs, seed=seed)
