"""Evidence painted over the pictures that it speaks of."""

from __future__ import annotations

from typing import Literal

from PIL import Image

from explain.evidence import Evidence
from explain.heatmap import shared_scale
from explain.overlay import laid_over, layer, muted
from gallery.build import Build
from search_api.pictures import Picture, data_uri, png, stored_picture
from search_api.schemas_evidence import OverlaysSchema, SideOverlays
from search_api.subjects import Subject
from siamese.preprocessing import Preprocessing

Part = Literal["factual", "counterfactual"]
WhichSide = Literal["query", "matched"]
Style = Literal["overlay", "heat"]


def picture_of(
    subject: Subject, build: Build | None, preprocessing: Preprocessing, *, max_side: int
) -> Picture:
    """The picture of one side of a pair, its longer side at most `max_side` pixels."""
    if subject.upload is not None:
        return subject.upload
    assert build is not None and subject.stored is not None  # what is no upload was read from a build
    return stored_picture(subject.stored, build, preprocessing, max_side=max_side)


def paint(
    picture: Picture, evidence: Evidence, *, side: WhichSide, part: Part, style: Style = "overlay"
) -> Image.Image:
    """One part of the evidence over one picture of the pair; or the heat alone, RGBA on transparent.

    The picture is pale and almost grey, so that heat shows on a subject of heat's own colour. Full heat is
    the hottest spot of the pair, so both pictures and both parts may be compared by eye.
    """
    maps = evidence.query if side == "query" else evidence.matched
    heat = layer(
        picture.image.size,
        picture.placement,
        scale=shared_scale(evidence),
        factual=maps.factual if part == "factual" else None,
        counterfactual=maps.counterfactual if part == "counterfactual" else None,
    )
    return heat if style == "heat" else laid_over(muted(picture.image), heat)


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
