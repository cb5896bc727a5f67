"""How near two pictures are, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from explain.evidence import Evidence, Side, Verdict, explain_matches
from explain.standings import Standing
from gallery.manifest import UsualClaims
from gallery.usual import share_below, share_of_nearest_below
from search_api.errors import InvalidQuestion
from search_api.loaded.checkpoints import Checkpoint
from search_api.queries.subjects import Subject
from search_api.schemas.base import ExplainedScore, FittedOn, ScorerName
from search_api.scoring import EXPLAINS, DistanceScorer, Scored, Scorer
from siamese.calibration import Calibration

SEVERAL = "several pictures were asked with, and distances are calibrated on pairs of two"
"""Why their matches have no verdicts: a sum of embeddings is nearer to everything than a picture is."""


@dataclass(frozen=True, slots=True)
class Judging:
    """By what the pairs of one question are scored, and which number of theirs is explained.

    `usual` is how alike two images of the gallery usually are, where that was measured.
    """

    checkpoint: Checkpoint
    distances: Calibration
    scorer: Scorer
    of: ExplainedScore
    usual: UsualClaims | None = None

    @classmethod
    def by(
        cls,
        checkpoint: Checkpoint,
        fitted_on: FittedOn,
        scorer: ScorerName,
        of: ExplainedScore | None,
        *,
        usual: UsualClaims | None = None,
    ) -> Judging:
        """By this scorer, distances meaning what they do among such pairs.

        Explained is the scorer's own number, unless another is asked for. Raises NoSuchHead.
        """
        record = checkpoint.record
        distances = record.calibration if fitted_on == "pair" else record.for_search
        chosen = checkpoint.scorer(scorer, distances)
        return cls(checkpoint, distances, chosen, of or chosen.explained, usual)

    def of_several(self) -> Judging:
        """The same for several pictures that are asked with together: by the distance, and beside nothing.

        Raises InvalidQuestion for another scorer.
        """
        if self.scorer.name != "distance":
            raise InvalidQuestion(
                f"The scorer {self.scorer.name} judges two pictures, and several are asked with."
            )
        unfitted = Calibration.unfitted(SEVERAL)
        return replace(self, distances=unfitted, scorer=DistanceScorer(unfitted), usual=None)

    @property
    def identity(self) -> str:
        """What changes when its evidence of a pair may: encoder, heads, baselines, and what was asked for."""
        record = self.checkpoint.record
        heads = record.heads and record.heads.digest
        baselines = f"{self.distances.threshold} {self.usual_cosine}"
        return f"{record.fingerprint} {heads} {baselines} {self.scorer.name} {self.of}"

    @property
    def usual_cosine(self) -> float | None:
        """What pairs of the gallery usually do not exceed."""
        return None if self.usual is None else self.usual.baseline

    def standing(self, scored: Scored) -> Standing | None:
        """Where the pair stands among those of the gallery; None where nobody measured it."""
        if self.usual is None:
            return None
        nearest = share_of_nearest_below(self.usual, scored.cosine)
        return Standing(share_below(self.usual, scored.cosine), nearest)


def compared(query: Subject, matched: Subject, judging: Judging) -> tuple[Scored, Evidence]:
    """The numbers of one pair, and its evidence; raises NoSuchHead."""
    scored = judging.scorer.scored(query.embedding, matched.embedding[None])
    return scored[0], explained(query, [matched], scored, judging)[0]


def explained(
    query: Subject, matched: Sequence[Subject], scored: Sequence[Scored], judging: Judging
) -> list[Evidence]:
    """Why each of the matched images is near or far, from local embeddings alone; raises NoSuchHead."""
    score = judging.checkpoint.score(judging.of, query.embedding)
    if not matched:
        return []
    evidence = explain_matches(
        query.local_embeddings,
        np.stack([each.local_embeddings for each in matched], dtype=np.float64),
        of=score,
        threshold=judging.distances.threshold,
        verdicts=verdicts_explained(scored, judging),
        usual=judging.usual_cosine,
        query_embedding=query.embedding,
        matched_embeddings=np.stack([each.embedding for each in matched]),
    )
    return [_of_what_was_read(each, query, other) for each, other in zip(evidence, matched, strict=True)]


def _of_what_was_read(evidence: Evidence, query: Subject, matched: Subject) -> Evidence:
    """The evidence, blank on a picture that could not be read again."""
    if query.computed_from == "nothing" and not query.several:
        evidence = replace(evidence, query=_blank(evidence.query))
    if matched.computed_from == "nothing":
        evidence = replace(evidence, matched=_blank(evidence.matched))
    return evidence


def _blank(side: Side) -> Side:
    return Side(np.zeros_like(side.factual), np.zeros_like(side.counterfactual))


def verdicts_explained(scored: Sequence[Scored], judging: Judging) -> list[Verdict | None]:
    """The verdicts; none where they are not made by the explained number but by another scorer's."""
    if judging.of in EXPLAINS[judging.scorer.name]:
        return [each.verdict for each in scored]
    return [None] * len(scored)
