"""Evidence painted over the pictures that it speaks of."""

from __future__ import annotations

from typing import Literal

from PIL import Image

from explain.evidence import Evidence
from explain.heatmap import shared_scale
from explain.overlay import overlay
from search_api.pictures import Picture, data_uri, png
from search_api.schemas import OverlaysSchema, SideOverlays

Part = Literal["factual", "counterfactual"]
WhichSide = Literal["query", "matched"]


def paint(picture: Picture, evidence: Evidence, *, side: WhichSide, part: Part) -> Image.Image:
    """One part of the evidence over one picture of the pair.

    Full heat is the hottest spot of the pair, so both pictures and both parts may be compared by eye.
    """
    maps = evidence.query if side == "query" else evidence.matched
    return overlay(
        picture.image,
        picture.placement,
        scale=shared_scale(evidence),
        factual=maps.factual if part == "factual" else None,
        counterfactual=maps.counterfactual if part == "counterfactual" else None,
    )


def paint_pair(query: Picture, matched: Picture, evidence: Evidence) -> OverlaysSchema:
    """Both parts over both pictures, inline."""
    return OverlaysSchema(
        query=_painted(query, evidence, "query"), matched=_painted(matched, evidence, "matched")
    )


def _painted(picture: Picture, evidence: Evidence, side: WhichSide) -> SideOverlays:
    factual = paint(picture, evidence, side=side, part="factual")
    counterfactual = paint(picture, evidence, side=side, part="counterfactual")
    return SideOverlays(
        drawn_on=picture.drawn_on,
        factual=data_uri(png(factual)),
        counterfactual=data_uri(png(counterfactual)),
    )
