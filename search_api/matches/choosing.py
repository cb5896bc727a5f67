"""Which of the ranked matches are shown, and how they are put together."""

from __future__ import annotations

from dataclasses import dataclass

from search_api.errors import InvalidQuestion
from search_api.evidence.explaining import Judging
from search_api.matches.cursors import Cursor
from search_api.matches.rescoring import Match
from search_api.schemas.groups import MAX_GROUP_SIZE
from search_api.scoring import MAX_DISTANCE


@dataclass(frozen=True, slots=True)
class Choice:
    """What of the matches is shown: the near or probable enough, the best of each group, each content once.

    `group_by` is “label” or an attribute; images without it are in no group and are left out. `group_size` of
    a group are shown. `fold` tells the places of a content in one match. `after` is where the last answer
    ended. With `include_judged` pairs that were judged wrong are shown, too.
    """

    min_probability: float | None = None
    max_distance: float | None = None
    group_by: str | None = None
    group_size: int = 1
    fold: bool = False
    after: Cursor | None = None
    include_judged: bool = False

    def __post_init__(self) -> None:
        if self.min_probability is not None and not 0 <= self.min_probability <= 1:
            raise InvalidQuestion(f"A probability lies between 0 and 1, not at {self.min_probability:g}.")
        if self.max_distance is not None and not 0 <= self.max_distance <= MAX_DISTANCE:
            raise InvalidQuestion(
                f"A distance lies between 0 and {MAX_DISTANCE:g}, not at {self.max_distance:g}."
            )
        if not 1 <= self.group_size <= MAX_GROUP_SIZE:
            raise InvalidQuestion(f"A group shows 1 to {MAX_GROUP_SIZE} images, not {self.group_size}.")
        if self.group_by is None and self.group_size > 1:
            raise InvalidQuestion("Nothing is grouped, so no group has a size: say by what with group_by.")
        if self.group_by is not None and self.fold:
            raise InvalidQuestion(
                "Group or fold, not both: a content may lie in several groups; leave out one of them."
            )


EVERYTHING = Choice()


@dataclass(frozen=True, slots=True)
class Bar:
    """What a match must reach to be shown."""

    min_probability: float | None
    max_distance: float | None
    same_only: bool

    def __bool__(self) -> bool:
        return self.same_only or self.min_probability is not None or self.max_distance is not None

    def passes(self, match: Match) -> bool:
        """Whether the match reaches it."""
        scored = match.scored
        if self.same_only and scored.verdict == "different":
            return False
        if self.max_distance is not None and scored.distance > self.max_distance:
            return False
        chance = scored.probability
        return self.min_probability is None or (chance is not None and chance >= self.min_probability)


def bar(choice: Choice, judging: Judging, *, same_only: bool) -> Bar:
    """What matches must reach; raises InvalidQuestion where nothing is calibrated that would tell."""
    reason = judging.scorer.calibration.reason
    if same_only and reason is not None:
        raise InvalidQuestion(
            f"Only what is the same cannot be shown where there are no verdicts: {reason.rstrip('.')}."
        )
    if choice.min_probability is not None and reason is not None:
        raise InvalidQuestion(
            f"A least probability cannot be asked for where there are none: {reason.rstrip('.')}; "
            "`whyalike calibrate` fits them to labelled images."
        )
    return Bar(choice.min_probability, choice.max_distance, same_only)
