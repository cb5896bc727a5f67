"""What is asked of a search besides the picture, and what its middle comes to: nothing is explained yet."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from gallery.filters.conditions import Where
from gallery.index.candidates import Candidate
from search_api.evidence.explaining import Judging
from search_api.matches.candidates import how_many
from search_api.matches.choosing import EVERYTHING, Choice
from search_api.matches.cursors import group_digest
from search_api.matches.rescoring import Match
from search_api.schemas.base import Prefilter
from search_api.schemas.search import PrefilterSchema
from search_api.scoring import Floats
from search_api.settings import SearchSettings


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for besides the picture: how many matches, of what, by how many candidates, and which.

    `same_only` leaves out matches whose verdict is “different”.
    """

    k: int
    labels: Collection[str] | None = None
    where: Where = ()
    prefilter: Prefilter | None = None
    candidates: int | None = None
    same_only: bool = False
    choice: Choice = EVERYTHING


@dataclass(frozen=True, slots=True)
class Group:
    """The images of one label, or with one value of an attribute: the best of them, the first first."""

    name: str
    members: tuple[Match, ...]
    images: int = 0
    """How many the search looked among."""

    @property
    def digest(self) -> str:
        """Its name, short enough for a cursor."""
        return group_digest(self.name)


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """Every candidate re-scored, in the scorer's order; `exact` (n, D) are the embeddings of `proposed`.

    The index was asked for `count`. `where` holds every condition that narrowed the search, labels and
    prefilter included. `shown` are those of the matches that the question asked for, ranked anew; `groups`
    has the group of each, where it asked for groups. `left_out` pairs that were judged wrong would have been
    among them. `more` says whether others follow, `total` how many there are in all, where that is known.
    """

    where: Where
    prefilter: PrefilterSchema | None
    count: int
    proposed: Sequence[Candidate]
    exact: Floats
    matches: Sequence[Match]
    exhaustive: bool
    shown: Sequence[Match] = ()
    groups: Sequence[Group] = ()
    left_out: int = 0
    more: bool = False
    total: int | None = None
    wrong: Collection[int] = ()
    """The images that were judged to be no match of the query."""

    def embeddings_of(self, matches: Sequence[Match]) -> Floats:
        """(m, D) of some of the matches."""
        rows = {each.image_id: row for row, each in enumerate(self.proposed)}
        return self.exact[[rows[each.image_id] for each in matches]]


def candidates_wanted(wish: Wish, judging: Judging, settings: SearchSettings) -> int:
    """How many candidates the index is asked for at first; raises InvalidQuestion for one out of range."""
    return how_many(wish.k, wish.candidates, judging.scorer, settings)
