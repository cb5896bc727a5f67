"""The middle of a search: candidates of the index, re-scored and ranked; nothing is explained yet."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from gallery.builds.build import Build
from gallery.filters.conditions import Where
from gallery.index.candidates import Candidate
from gallery.index.narrowing import labelled
from search_api.candidates import how_many, narrow, propose
from search_api.errors import InvalidQuestion
from search_api.explaining import Judging
from search_api.rescoring import Match, rescore
from search_api.schemas import PrefilterSchema
from search_api.schemas_base import Prefilter
from search_api.scoring import Floats
from search_api.settings import SearchSettings
from search_api.stopwatch import Stopwatch
from search_api.subjects import Subject


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for besides the picture: how many matches, of what, and by how many candidates.

    `same_only` leaves out matches whose verdict is “different”.
    """

    k: int
    labels: Collection[str] | None = None
    where: Where = ()
    prefilter: Prefilter | None = None
    candidates: int | None = None
    same_only: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """Every candidate re-scored, in the scorer's order; `exact` (n, D) are the embeddings of `proposed`.

    The index was asked for `count`. `where` holds every condition that narrowed the search, labels and
    prefilter included.
    """

    where: Where
    prefilter: PrefilterSchema | None
    count: int
    proposed: Sequence[Candidate]
    exact: Floats
    matches: Sequence[Match]
    shown: Sequence[Match]
    """The first of the matches, that the question asked for."""

    def embeddings_of(self, matches: Sequence[Match]) -> Floats:
        """(m, D) of some of the matches."""
        rows = {each.image_id: row for row, each in enumerate(self.proposed)}
        return self.exact[[rows[each.image_id] for each in matches]]


def candidates_wanted(wish: Wish, judging: Judging, settings: SearchSettings) -> int:
    """How many candidates are asked of the index.

    Raises InvalidQuestion for a number out of range, and where `same_only` is asked of a scorer that gives
    no verdicts.
    """
    reason = judging.scorer.calibration.reason
    if wish.same_only and reason is not None:
        raise InvalidQuestion(
            f"Only what is the same cannot be shown where there are no verdicts: {reason.rstrip('.')}."
        )
    return how_many(wish.k, wish.candidates, judging.scorer, settings)


def rank(
    asked: Subject, build: Build, judging: Judging, wish: Wish, clock: Stopwatch, *, count: int
) -> Ranking:
    """What the gallery has nearest to the query among `count` candidates.

    Raises what `narrow` and `propose` raise.
    """
    with clock.stage("search"):
        narrowed = narrow(asked, build, judging.checkpoint, labels=wish.labels, prefilter=wish.prefilter)
        where = wish.where if narrowed.labels is None else (*labelled(narrowed.labels), *wish.where)
        proposed = propose(asked, build, count=count, where=where)
    with clock.stage("rescore"):
        exact = build.embeddings([each.image_id for each in proposed])
        matches = rescore(asked.embedding, proposed, exact, judging.scorer)
    shown = [each for each in matches if not (wish.same_only and each.scored.verdict == "different")]
    return Ranking(where, narrowed.prefilter, count, proposed, exact, matches, shown[: wish.k])
