"""Several pictures asked with together: one embedding of all, and what each of them adds to a match.

With z = Σ w_i z_i / |Σ w_i z_i| the cosine with any matched image is Σ f_i cos(z_i, m), where
f_i = w_i / |Σ w_i z_i|, so the relevance maps add up over the queries as they add up over the cells. One grid
below the other, each weighted so that the mean over all cells points along z, they are the local embeddings
of one query.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from explain.evidence import Evidence, Side
from explain.scores import cosine_at
from search_api.errors import InvalidQuestion
from search_api.queries.subjects import QueryImage, Subject
from search_api.scoring import Floats, distance

CANCELLED = 1e-6
"""Length of the weighted sum over that of the weights, up to which it is the rounding of float32."""


def blended(subjects: Sequence[Subject], weights: Sequence[float]) -> Subject:
    """One query of all these; raises InvalidQuestion where they cancel each other out."""
    embeddings = np.stack([each.embedding for each in subjects], dtype=np.float64)
    summed = np.asarray(weights) @ embeddings
    length = float(np.linalg.norm(summed))
    if length <= CANCELLED * float(np.abs(weights).sum()):
        told = ", ".join(f"{each:g}" for each in weights)
        raise InvalidQuestion(
            f"The {len(weights)} queries cancel each other out with the weights {told}, and nothing is left "
            "to ask with: change a weight."
        )
    several = tuple(
        QueryImage(subject, weight, weight / length)
        for subject, weight in zip(subjects, weights, strict=True)
    )
    return replace(
        several[lead(several)].subject,
        embedding=(summed / length).astype(np.float32),
        local_embeddings=np.concatenate([_weighted(each, len(several)) for each in several]),
        several=several,
    )


def lead(several: Sequence[QueryImage]) -> int:
    """Which of the pictures stands for all where an answer has room for one: the first positive one."""
    return next(place for place, each in enumerate(several) if each.weight > 0)


def sides_of_each(query: Subject, evidence: Evidence) -> list[Side]:
    """What of the query's side lies on each of its pictures; blank where a picture could not be read."""
    count = len(query.several)
    parts = [np.split(grid, count) for grid in (evidence.query.factual, evidence.query.counterfactual)]
    return [
        Side(*(np.zeros_like(grid) for grid in grids))
        if each.subject.computed_from == "nothing"
        else Side(*grids)
        for each, grids in zip(query.several, zip(*parts, strict=True), strict=True)
    ]


def added_by_each(query: Subject, matched: Subject) -> list[float]:
    """What each picture of the query adds to its cosine with the matched image."""
    return [
        each.factor * float(cosine_at(distance(each.subject.embedding, matched.embedding)))
        for each in query.several
    ]


def _weighted(image: QueryImage, count: int) -> Floats:
    cells = image.subject.local_embeddings
    length = float(np.linalg.norm(cells.mean(axis=(0, 1), dtype=np.float64)))
    return np.asarray(cells * np.float32(count * image.weight / max(length, np.finfo(np.float32).tiny)))
