"""A reason in words: what of the evidence lies on how much of each picture, and where, and what to doubt.

Every word stands for a number: the focus of the factual map on either picture, or a warning's threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explain.evidence import Evidence, Verdict
from explain.focus import PLACES, Focus, Place, foci
from explain.reason_warnings import ReasonWarning, near_uniform, warnings_of
from explain.standings import IN_WORDS, Standing
from siamese.preprocessing import Placement

Detail = NDArray[np.uint8]
THIRDS = {place for row in PLACES for place in row}
MIDDLE = PLACES[1][1]
ALL_OVER: Place = "all over"

ALIKE, APART = "makes them alike", "keeps them apart"
UNUSUAL, USUAL = (
    "More alike than two images of this gallery usually are",
    "Less alike than near images of this gallery usually are",
)
"""What is said first where a gallery is all that the evidence is measured by, and its nearest unknown."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A picture as a reason needs it: where the grid lies, and how much detail its cells have, if known.

    `detail` is (h, w), the standard deviation of luminance (0..255) in every cell. Where the map could not be
    computed it is not `known`: a blank map then says nothing.
    """

    placement: Placement
    detail: Detail | None = None
    known: bool = True


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of the sentence, and the numbers that follow it in brackets, if any."""

    words: str
    numbers: str = ""

    def __str__(self) -> str:
        return f"{self.words} ({self.numbers})" if self.numbers else self.words


@dataclass(frozen=True, slots=True)
class Reason:
    """Why two pictures are near or far, in one sentence, with the numbers behind it and what to doubt.

    `short` says only where what counts lies: without numbers, and without how near the pair is at all.
    """

    text: str
    short: str
    query: Focus
    matched: Focus
    warnings: tuple[ReasonWarning, ...] = ()


def reason(
    evidence: Evidence,
    query: Seen,
    matched: Seen,
    *,
    verdict: Verdict | None = None,
    standing: Standing | None = None,
) -> Reason:
    """Return the reason that the evidence gives; `verdict` is the one that it was explained with, if any.

    `standing` is where the pair stands in its gallery, where that is known.
    """
    return reasons([evidence], query, [matched], [verdict], [standing])[0]


def reasons(
    evidence: Sequence[Evidence],
    query: Seen,
    matched: Sequence[Seen],
    verdicts: Sequence[Verdict | None],
    standings: Sequence[Standing | None] | None = None,
) -> list[Reason]:
    """Return the reason of every match of a query, as `reason` does, all at once."""
    if not evidence:
        return []
    standings = standings or [None] * len(evidence)
    asked = foci(np.array([each.query.factual for each in evidence]), [query.placement] * len(evidence))
    others = foci(np.array([each.matched.factual for each in evidence]), [each.placement for each in matched])
    told = zip(evidence, matched, verdicts, zip(asked, others, strict=True), standings, strict=True)
    return [_reason(why, (query, other), verdict, found, place) for why, other, verdict, found, place in told]


def _reason(
    evidence: Evidence,
    seen: tuple[Seen, Seen],
    verdict: Verdict | None,
    found: tuple[Focus, Focus],
    standing: Standing | None,
) -> Reason:
    sides = zip((evidence.query, evidence.matched), seen, strict=True)
    doubts = warnings_of([(side.factual, each.placement, each.detail) for side, each in sides], found)
    known = seen[0].known, seen[1].known
    clauses = _clauses(found, known, makes(evidence, verdict))
    whole = f"{_lead(evidence, standing)}{''.join(map(str, clauses))}"
    return Reason(_closed(whole), _closed("".join(each.words for each in clauses)), *found, doubts)


def _closed(words: str) -> str:
    """A sentence of its own."""
    return f"{words[0].upper()}{words[1:]}."


def makes(evidence: Evidence, verdict: Verdict | None) -> str:
    """Return what the factual part of the evidence does, such as "makes them alike"."""
    explained = evidence.explained
    if explained.label is not None:
        return f"shows {explained.label}"
    return APART if verdict == "different" else ALIKE


def _lead(evidence: Evidence, standing: Standing | None) -> str:
    """What comes before the sentence: how alike they are at all, where no verdict says it."""
    explained = evidence.explained
    if explained.baseline_from != "gallery":
        return ""
    lead = UNUSUAL if explained.value > explained.baseline else USUAL
    if standing is None:
        return f"{lead}: "
    words = IN_WORDS[standing.closeness] if standing.closeness else lead
    return f"{words} (closer than {standing}): "


def _clauses(found: tuple[Focus, Focus], known: tuple[bool, bool], does: str) -> list[Clause]:
    query, matched = found
    if not (query.blank or matched.blank):
        return _both(query, matched, does)
    if query.blank and matched.blank and all(known):
        return [Clause(f"no part of either picture {does}")]
    told = [_told(*side, does) for side in zip(found, known, ("query", "match"), strict=True)]
    if query.blank and not matched.blank:
        told.reverse()
    return [told[0], Clause("; "), told[1]]


def _both(query: Focus, matched: Focus, does: str) -> list[Clause]:
    if near_uniform(query) and near_uniform(matched):
        return [
            Clause(f"what {does} is spread nearly evenly over both pictures, and no part of them stands out")
        ]
    if near_uniform(query):
        where = _mostly(matched, "the match")
        return [_lies(query, "query", does), Clause(f", and lies {where}", _carried(matched, "match"))]
    if near_uniform(matched):
        return [_lies(query, "query", does), Clause(", and is spread nearly evenly over the match")]
    same = _percent(query.share) == _percent(matched.share)
    other = " and " if same else f", {_percent(matched.share)} on "
    numbers = f"{_carried(query, 'query')}{other}{_percent(matched.area)} of the match"
    other_place = (_mostly if query.place == ALL_OVER else _at)(matched, "the match")
    where = f"{_mostly(query, 'the query')} and {other_place}"
    if query.place == matched.place:
        where = _mostly(query, "both pictures")
    return [Clause(f"what {does} lies {where}", numbers)]


def _told(part: Focus, known: bool, name: str, does: str) -> Clause:
    if not part.blank:
        return _lies(part, name, does)
    return Clause(
        f"no part of the {name} {does}" if known else f"the map of the {name} could not be computed"
    )


def _lies(part: Focus, name: str, does: str) -> Clause:
    if near_uniform(part):
        return Clause(f"what {does} is spread nearly evenly over the {name}")
    return Clause(f"what {does} lies {_mostly(part, f'the {name}')}", _carried(part, name))


def _mostly(part: Focus, picture: str) -> str:
    """Where it lies, with "mostly" before it but where it lies all over."""
    where = _at(part, picture)
    return where if part.place == ALL_OVER else f"mostly {where}"


def _at(part: Focus, picture: str) -> str:
    """Where it lies, such as "at the upper left of the query" or "all over both pictures"."""
    if part.place in THIRDS:
        return f"{'in' if part.place == MIDDLE else 'at'} the {part.place} of {picture}"
    return f"{part.place} {picture}" if part.place == ALL_OVER else f"{part.place} of {picture}"


def _carried(part: Focus, name: str) -> str:
    return f"{_percent(part.share)} of it on {_percent(part.area)} of the {name}"


def _percent(share: float) -> str:
    """Return whole percent, such as "18 %"; what is neither nothing nor all is not rounded to it."""
    rounded = round(100 * share)
    if rounded == 0 and share > 0:
        return "under 1 %"
    return "over 99 %" if rounded == 100 and share < 1 else f"{rounded} %"
