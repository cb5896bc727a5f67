"""Candidates become matches: the distance of the exact embeddings decides, not what the index reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gallery.build import Candidate
from search_api.scoring import Floats, Scored, distance, score
from siamese.calibration import Calibration


@dataclass(frozen=True, slots=True)
class Match:
    """A candidate that was re-scored and ranked, from 1."""

    rank: int
    image_id: int
    index_distance: float
    scored: Scored

    def __post_init__(self) -> None:
        if self.rank < 1:
            raise ValueError(f"Ranks begin at 1, not at {self.rank}.")


def rescore(
    embedding: Floats, candidates: Sequence[Candidate], exact: Floats, calibration: Calibration
) -> list[Match]:
    """Every candidate, scored by its exact embedding (row i of `exact`), nearest first, then by image_id.

    Permutes the candidates; invents none and drops none.
    """
    scored = [(distance(embedding, row), each) for each, row in zip(candidates, exact, strict=True)]
    scored.sort(key=lambda pair: (pair[0], pair[1].image_id))
    return [
        Match(rank, each.image_id, each.index_distance, score(exact_distance, calibration))
        for rank, (exact_distance, each) in enumerate(scored, start=1)
    ]
