"""How near two pictures are, and why."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explain.evidence import Evidence, explain_matches
from explain.scores import SCORES
from search_api.rescoring import Judgement, distance, judge
from search_api.schemas import ExplainedScore
from search_api.subjects import Subject
from siamese.calibration import Calibration


def judged(
    query: Subject, matched: Subject, calibration: Calibration, of: ExplainedScore
) -> tuple[Judgement, Evidence]:
    """The judgement of one pair, and its evidence."""
    judgement = judge(distance(query.embedding, matched.embedding), calibration)
    return judgement, explained(query, [matched], [judgement], calibration, of)[0]


def explained(
    query: Subject,
    matched: Sequence[Subject],
    judgements: Sequence[Judgement],
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
        verdicts=[each.verdict for each in judgements],
        query_embedding=query.embedding,
        matched_embeddings=np.stack([each.embedding for each in matched]),
    )
