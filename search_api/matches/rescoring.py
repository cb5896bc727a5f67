"""Candidates become matches: a scorer of the exact embeddings decides, not what the index reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gallery.index.candidates import Candidate
from search_api.scoring import Floats, Scored, Scorer


@dataclass(frozen=True, slots=True)
class Match:
    """A candidate that was re-scored and ranked, from 1; `also` are the other images of its content."""

    rank: int
    image_id: int
    index_distance: float
    scored: Scored
    also: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.rank < 1:
            raise ValueError(f"Ranks begin at 1, not at {self.rank}.")


def rescore(embedding: Floats, candidates: Sequence[Candidate], exact: Floats, scorer: Scorer) -> list[Match]:
    """Every candidate, scored by its exact embedding (row i of `exact`), in the scorer's order.

    Those that it holds for equal are ordered by image_id. Permutes the candidates; invents and drops none.
    """
    scored = list(zip(scorer.scored(embedding, exact), candidates, strict=True))
    scored.sort(key=lambda pair: (*scorer.order(pair[0]), pair[1].image_id))
    return [
        Match(rank, each.image_id, each.index_distance, numbers, each.also)
        for rank, (numbers, each) in enumerate(scored, start=1)
    ]
