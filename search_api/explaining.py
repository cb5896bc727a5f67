"""How near two pictures are, and why."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explain.evidence import Evidence, explain_matches
from explain.scores import SCORES
from search_api.schemas import ExplainedScore
from search_api.scoring import Scored, distance, score
from search_api.subjects import Subject
from siamese.calibration import Calibration


def compared(
    query: Subject, matched: Subject, calibration: Calibration, of: ExplainedScore
) -> tuple[Scored, Evidence]:
    """The numbers of one pair, and its evidence."""
    scored = score(distance(query.embedding, matched.embedding), calibration)
    return scored, explained(query, [matched], [scored], calibration, of)[0]


def explained(
    query: Subject,
    matched: Sequence[Subject],
    scores: Sequence[Scored],
    calibration: Calibration,
    of: ExplainedScore,
) -> list[Evidence]:
    """Why each of the matched images is near or far, from local embeddings alone."""
    if not matched:
        return []
    return explain_matches(
        query.local_embeddings,
        np.stack([each.local_embeddings for each in matched]),
        of=SCORES[of],
        threshold=calibration.threshold,
        verdicts=[each.verdict for each in scores],
        query_embedding=query.embedding,
        matched_embeddings=np.stack([each.embedding for each in matched]),
    )
