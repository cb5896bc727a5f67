"""What hiding regions showed of a match, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from explain.chances import percentage
from search_api.schemas.evidence import WarningSchema
from search_api.schemas.hiding import LeftSchema
from search_api.scoring import Scored

UNFAITHFUL = (
    "Hiding what the map on {where} calls hot moves the number no more than hiding parts of the picture by "
    "chance: do not rely on this map."
)


def told(before: Scored, left: LeftSchema, smallest: LeftSchema | None) -> str:
    """What came of hiding everything that speaks for the verdict, in one sentence."""
    if not left.area:
        return "Nothing in the query speaks for the verdict, so nothing was hidden."
    what = f"{area(left)} of the query hidden that speak for “{before.verdict or 'same'}”"
    change = _change(before, left)
    if before.verdict is None:
        return f"With the {what}, {change}; there is no verdict to flip."
    enough = f"hiding {area(smallest)} of the query is enough" if smallest else ""
    if left.verdict != before.verdict:
        return f"With the {what}, {change} and the verdict becomes “{left.verdict}”; {enough}."
    if smallest:
        return f"With all {what}, the verdict stays “{before.verdict}”, but to flip it {enough}."
    return f"Even with all {what}, the verdict stays “{before.verdict}”: {change}."


def area(left: LeftSchema) -> str:
    """How much of the query is hidden."""
    percent = round(100 * left.area)
    return f"{percent} %" if percent or not left.area else "less than 1 %"


def warning(doubted: Sequence[bool]) -> WarningSchema:
    """That the maps of the query, of the match, or of both do no better than chance."""
    where = "both pictures" if all(doubted) else "the query" if doubted[0] else "the match"
    return WarningSchema(code="unfaithful", text=UNFAITHFUL.format(where=where))


def _change(before: Scored, left: LeftSchema) -> str:
    if before.probability is None or left.probability is None:
        return f"the similarity goes from {before.similarity:.3f} to {left.similarity:.3f}"
    chances = percentage(before.probability), percentage(left.probability)
    return f"the probability of same goes from {chances[0]} to {chances[1]}"
