"""What to doubt about a piece of evidence: plain sentences, each with a code that stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from explain.cells import layout
from explain.focus import Focus
from siamese.preprocessing import Placement

WarningCode = Literal["near-uniform", "flat", "padded-border", "unfaithful", "far"]
Warned: TypeAlias = tuple[NDArray[np.floating], Placement, NDArray[np.uint8] | None]

# The area of a focus over what a constant map needs for the same share: from here on 70 % of a map lie on
# 53 % of the picture. Maps with a verdict's baseline never do (at most 0.67 in 960 of photos), those with a
# gallery's own in at most 3 of 100; of those from 0 it is 14 to 30 (benchmarks/usual_baseline.py).
NEAR_UNIFORM = 0.75
MOSTLY = 0.5  # the share of the factual mass from which evidence lies "mostly" somewhere
MORE_THAN_ITS_PART = 1.5  # mass over area at a padded border, from which it is no chance
# The standard deviation of luminance, of 255, up to which a cell shows plain ground: 4 % of the cells of
# flower photos, which carry 0.3 % of the evidence; in no pair of 240 do they carry most of it.
FLAT = 4


@dataclass(frozen=True, slots=True)
class ReasonWarning:
    """One doubt: `code` for programs, `text` for people."""

    code: WarningCode
    text: str


FAR = ReasonWarning(
    "far",
    "Perhaps nothing like the query is among the images that were searched: even the best match is far.",
)
"""Of the best match of a search that stands "far" in its gallery."""
TEXTS: dict[WarningCode, str] = {
    "near-uniform": "The evidence on {where} is nearly even: it points at no part of the picture.",
    "flat": "The evidence on {where} lies mostly on plain ground with nothing to see in it.",
    "padded-border": "The evidence on {where} lies mostly along padding, which is not part of the picture.",
}


def warnings_of(sides: Sequence[Warned], foci: Sequence[Focus]) -> tuple[ReasonWarning, ...]:
    """Return what there is to doubt of the factual maps of the query and the match, in this order.

    Each side is its map (h, w), its placement, and the detail (h, w) of its cells, None where it is unknown.
    """
    shown = [side if not part.blank else None for side, part in zip(sides, foci, strict=True)]
    doubted: dict[WarningCode, list[bool]] = {
        "near-uniform": [near_uniform(part) for part in foci],
        "flat": [side is not None and _on_flat_ground(side) for side in shown],
        "padded-border": [side is not None and _along_padding(side) for side in shown],
    }
    return tuple(
        ReasonWarning(code, TEXTS[code].format(where=_where(found)))
        for code, found in doubted.items()
        if any(found)
    )


def near_uniform(part: Focus) -> bool:
    """Return whether the focus of a map needs nearly the area that a constant map would."""
    return not part.blank and part.area >= NEAR_UNIFORM * part.share


def _on_flat_ground(side: Warned) -> bool:
    factual, _, detail = side
    return detail is not None and float(factual[detail <= FLAT].sum()) >= MOSTLY * float(factual.sum())


def _along_padding(side: Warned) -> bool:
    factual, placement, _ = side
    laid = layout(placement, (factual.shape[0], factual.shape[1]))
    if not laid.padded:
        return False
    border = laid.beside_padding
    share, area = float(factual[border].sum() / factual.sum()), float(laid.areas[border].sum())
    return share >= max(MOSTLY, MORE_THAN_ITS_PART * area)


def _where(found: Sequence[bool]) -> str:
    return "both pictures" if all(found) else "the query" if found[0] else "the match"
