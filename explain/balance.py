"""What the two parts of a piece of evidence come to: what one adds to its number, and the other takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from explain.evidence import Evidence, Side
from explain.scores import RELEVANCE

OF_PAIRS = ("cosine", "pair-head")
"""Numbers of the pair, and not of an image, whose maps may add up."""

Part = Literal["factual", "counterfactual"]


@dataclass(frozen=True, slots=True)
class Balance:
    """The sums of the factual and of the counterfactual map, each the mean of both pictures, >= 0.

    `adds` names the part that raises the number: what it sums to, less the other sum, is value - baseline.
    """

    factual: float
    counterfactual: float
    adds: Part


def balance(evidence: Evidence) -> Balance | None:
    """Return what the parts come to; None where they add up to no number of the pair, or a map is unknown."""
    explained, sides = evidence.explained, (evidence.query, evidence.matched)
    if (
        explained.of not in OF_PAIRS
        or explained.method != RELEVANCE
        or any(_is_blank(side) for side in sides)
    ):
        return None
    factual, counterfactual = (
        sum(float(part.sum()) for part in parts) / len(sides)
        for parts in ([side.factual for side in sides], [side.counterfactual for side in sides])
    )
    # For "different" the factual part is what lowers the number, and so the difference has the other sign.
    turned = (factual - counterfactual) * (explained.value - explained.baseline) < 0
    is_apart = turned and explained.baseline_from == "threshold"
    return Balance(factual, counterfactual, "counterfactual" if is_apart else "factual")


def _is_blank(side: Side) -> bool:
    return not (side.factual.any() or side.counterfactual.any())
