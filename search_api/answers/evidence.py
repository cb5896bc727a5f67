"""From evidence to what is sent of it: maps, reasons and correspondences into the JSON contract."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from explain.balance import balance
from explain.cells import Box, grid_box, layout
from explain.correspondences import Cell, Contributions, mutual_best
from explain.evidence import Evidence, Side
from explain.reasons import Reason, Seen
from search_api.evidence.accounts import Account, QuerySide
from search_api.schemas.base import ComputedFrom
from search_api.schemas.evidence import (
    BalanceSchema,
    CellSchema,
    ContributionsSchema,
    CorrespondenceSchema,
    EvidenceSchema,
    ExplainedSchema,
    Grid,
    GridSchema,
    QuerySideSchema,
    ReasonSchema,
    SideSchema,
)

MAP_DECIMALS = 8
"""Of a map's numbers: six digits that count at the mean of a 7 × 7 grid, and sums exact to 1e-6."""
SUM_DECIMALS = 6
"""Of a sum of them."""
PLACE_DECIMALS = 6
"""Of a share of a picture: a pixel of the largest."""
FLOAT32 = "<f4"
NOTES: Mapping[ComputedFrom, str] = {
    "thumbnail": "The gallery keeps no local embeddings and the original is gone or changed, so these maps "
    "are those of its thumbnail and may differ a little from what was indexed.",
    "nothing": "The gallery keeps no local embeddings, and neither the original nor its thumbnail can be "
    "read, so these maps are blank; the numbers are exact.",
}
"""What is told of maps that are not those of the picture that was indexed."""


def account_fields(account: Account) -> dict[str, Any]:
    """The keys of a match that say why."""
    found, extras = account.contributions, account.extras
    return {
        "evidence": evidence_schema(account.evidence, account.computed_from, account.queries),
        "reason": reason_schema(account.reason),
        "overlays": account.overlays,
        "correspondences": _correspondences(found, account.seen)
        if found and extras.correspondences
        else None,
        "contributions": _contributions(found, account.seen) if found and extras.contributions else None,
    }


def evidence_schema(
    evidence: Evidence,
    computed_from: tuple[ComputedFrom, ComputedFrom],
    queries: Sequence[QuerySide] = (),
) -> EvidenceSchema:
    """Both maps on both pictures, and of both what their maps are made of."""
    return EvidenceSchema(
        explained=ExplainedSchema.model_validate(evidence.explained, from_attributes=True),
        balance=None if queries else _balance(evidence),
        query=_side(evidence.query, computed_from[0]),
        queries=[_query_side(each) for each in queries] or None,
        matched=_side(evidence.matched, computed_from[1]),
    )


def _balance(evidence: Evidence) -> BalanceSchema | None:
    found = balance(evidence)
    if found is None:
        return None
    sums = {name: round(getattr(found, name), SUM_DECIMALS) for name in ("factual", "counterfactual")}
    return BalanceSchema(adds=found.adds, **sums)


def reason_schema(reason: Reason) -> ReasonSchema:
    """The sentence and its numbers."""
    return ReasonSchema.model_validate(reason, from_attributes=True)


def _correspondences(found: Contributions, seen: tuple[Seen, Seen]) -> list[CorrespondenceSchema]:
    return [
        CorrespondenceSchema(
            query=_cell(each.query, found.grids[0], seen[0]),
            matched=_cell(each.matched, found.grids[1], seen[1]),
            contribution=each.contribution,
            share=each.share,
            times_average=each.times_average,
            cosine=each.cosine,
        )
        for each in mutual_best(found)
    ]


def _contributions(found: Contributions, seen: tuple[Seen, Seen]) -> ContributionsSchema:
    query, matched = (_grid_schema(grid, each) for grid, each in zip(found.grids, seen, strict=True))
    data, cosines = (
        b64encode(each.astype(FLOAT32).tobytes()).decode("ascii") for each in (found.matrix, found.cosines)
    )
    return ContributionsSchema(
        query=query, matched=matched, dtype=FLOAT32, data=data, cosines=cosines, seen_pairs=found.seen_pairs
    )


def _cell(cell: Cell, grid: Cell, seen: Seen) -> CellSchema:
    box = layout(seen.placement, grid).box(cell)
    return CellSchema(row=cell[0], column=cell[1], box=_edges(box))


def _grid_schema(grid: Cell, seen: Seen) -> GridSchema:
    return GridSchema(rows=grid[0], columns=grid[1], box=_edges(grid_box(seen.placement)))


def _edges(box: Box) -> tuple[float, float, float, float]:
    left, top, right, bottom = (
        round(edge, PLACE_DECIMALS) for edge in (box.left, box.top, box.right, box.bottom)
    )
    return left, top, right, bottom


def _side(side: Side, computed_from: ComputedFrom) -> SideSchema:
    return SideSchema(
        factual=_grid(side.factual),
        counterfactual=_grid(side.counterfactual),
        computed_from=computed_from,
        note=NOTES.get(computed_from),
    )


def _query_side(part: QuerySide) -> QuerySideSchema:
    side = _side(part.side, part.image.subject.computed_from)
    return QuerySideSchema(**dict(side), weight=part.image.weight, added=part.added)


def _grid(values: npt.NDArray[np.float32]) -> Grid:
    rows: Grid = np.round(values.astype(np.float64), MAP_DECIMALS).tolist()
    return rows
