"""Evidence painted over the pictures that it speaks of."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Literal

from PIL import Image

from explain.evidence import Evidence
from explain.heatmap import shared_scale
from explain.overlay import laid_over, layer, muted
from gallery.builds.build import Build
from search_api.errors import PictureUnavailable
from search_api.evidence.accounts import Account
from search_api.presence import of_each, require_somebody
from search_api.queries.pictures import Picture, data_uri, png, stored_picture
from search_api.queries.subjects import Subject
from search_api.schemas.evidence import OverlaysSchema, SideOverlays
from search_api.settings import SearchSettings
from siamese.preprocessing import Preprocessing

Part = Literal["factual", "counterfactual"]
WhichSide = Literal["query", "matched"]
Style = Literal["overlay", "heat"]


class OverlayPainter:
    """Paints what answers are asked for; no more pictures are drawn on at once than there are slots."""

    def __init__(self, decoding: threading.BoundedSemaphore, settings: SearchSettings) -> None:
        self._decoding = decoding
        self._settings = settings

    def drawn(
        self,
        asked: Subject,
        matched: Sequence[Subject],
        told: Sequence[Account],
        preprocessing: Preprocessing,
        build: Build | None,
    ) -> list[Account]:
        """The accounts of the matched images with their overlays, where they were asked for; a matched image
        whose picture is gone has none. Raises PictureUnavailable of the query.
        """
        if not any(each.extras.overlays for each in told):
            return list(told)

        def picture(subject: Subject) -> Picture:
            return picture_of(subject, build, preprocessing, max_side=self._settings.overlay_max_side)

        with self._decoding:
            query = picture(asked).made()
            parts = [picture(each.subject).made() for each in asked.several]

        def painted(pair: tuple[Subject, Account]) -> Account:
            other, why = pair
            with self._decoding, suppress(PictureUnavailable):  # a slot for each, so that others come between
                overlays = paint_pair(query, picture(other), why.evidence, scale=_scale(why))
                overlays = overlays.model_copy(update={"queries": _painted_parts(parts, why)})
                return replace(why, overlays=overlays)
            return why

        pairs = list(zip(matched, told, strict=True))
        return of_each(painted, pairs, threads=self._settings.decoding_slots)


def picture_of(
    subject: Subject, build: Build | None, preprocessing: Preprocessing, *, max_side: int
) -> Picture:
    """The picture of one side of a pair, its longer side at most `max_side` pixels."""
    if subject.upload is not None:
        return subject.upload
    assert build is not None and subject.stored is not None  # what is no upload was read from a build
    return stored_picture(subject.stored, build, preprocessing, max_side=max_side)


def paint(
    picture: Picture,
    evidence: Evidence,
    *,
    side: WhichSide,
    part: Part,
    style: Style = "overlay",
    scale: float | None = None,
) -> Image.Image:
    """One part of the evidence over one picture of the pair; or the heat alone, RGBA on transparent.

    The picture is pale and almost grey, so that heat shows on a subject of heat's own colour. Full heat is
    the hottest spot of the pair, so both pictures and both parts may be compared by eye; or it is `scale`.
    Raises Abandoned where nobody waits for it any more.
    """
    heat = _heat(picture, evidence, side, part, scale)
    return heat if style == "heat" else laid_over(muted(picture.image), heat)


def _heat(
    picture: Picture, evidence: Evidence, side: WhichSide, part: Part, scale: float | None
) -> Image.Image:
    require_somebody()
    maps = evidence.query if side == "query" else evidence.matched
    return layer(
        picture.image.size,
        picture.placement,
        scale=shared_scale(evidence) if scale is None else scale,
        factual=maps.factual if part == "factual" else None,
        counterfactual=maps.counterfactual if part == "counterfactual" else None,
    )


def paint_pair(
    query: Picture, matched: Picture, evidence: Evidence, *, scale: float | None = None
) -> OverlaysSchema:
    """Both parts over both pictures, inline."""
    return OverlaysSchema(
        query=_painted(query, evidence, "query", scale), matched=_painted(matched, evidence, "matched", scale)
    )


def _each(why: Account) -> list[Evidence]:
    """The evidence with each of the pictures that were asked with together; alone where there is one."""
    return [replace(why.evidence, query=each.side) for each in why.queries] or [why.evidence]


def _scale(why: Account) -> float:
    return shared_scale(*_each(why))


def _painted_parts(pictures: Sequence[Picture], why: Account) -> list[SideOverlays] | None:
    scale = _scale(why)
    parts = zip(pictures, _each(why), strict=False)  # one picture alone has no parts
    return [_painted(picture, evidence, "query", scale) for picture, evidence in parts] or None


def _painted(
    picture: Picture, evidence: Evidence, side: WhichSide, scale: float | None = None
) -> SideOverlays:
    pale = muted(picture.image)

    def painted(part: Part) -> str:
        return data_uri(png(laid_over(pale, _heat(picture, evidence, side, part, scale))))

    return SideOverlays(
        drawn_on=picture.drawn_on, factual=painted("factual"), counterfactual=painted("counterfactual")
    )
