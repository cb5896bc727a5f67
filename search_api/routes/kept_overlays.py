"""Evidence painted for a query that is kept: it is embedded again for each picture."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from search_api.evidence.explaining import Judging, compared
from search_api.evidence.overlays import Part, Style, WhichSide, paint, picture_of
from search_api.queries.pictures import png
from search_api.queries.subjects import Asked
from search_api.routes.asking import PNG
from search_api.routes.caching import WHO_ASKS, Viewed, tag_of
from search_api.schemas.base import ExplainedScore, ScorerName
from search_api.schemas.query import QUERY_ID
from search_api.search import Searcher
from search_api.stopwatch import Stopwatch

DRAWN_ON = "X-Drawn-On"
"""Header that says whether a picture is the original or its thumbnail."""


@dataclass(frozen=True, slots=True)
class WantedOverlay:
    """Which part of the evidence over which picture of the pair with this image, and how."""

    image_id: int
    part: Part
    side: WhichSide
    style: Style
    scorer: ScorerName
    explained: ExplainedScore | None


def kept_overlay(asking: Searcher, viewing: Viewed, query: Asked, wanted: WantedOverlay) -> Response:
    """The overlay as PNG; a browser asks first, for the query is kept only for a while."""
    max_side = asking.settings.overlay_max_side
    with asking.builds.lend(viewing.gallery) as (build, checkpoint):
        usual = build.manifest.usual
        judging = Judging.by(checkpoint, "shown", wanted.scorer, wanted.explained, usual=usual)
        preprocessing = checkpoint.record.preprocessing
        asked = asking.reader.subject(query, build, preprocessing, Stopwatch())
        matched = asking.reader.stored([wanted.image_id], build)[0]
        _, evidence = compared(asked, matched, judging)
        subject = asked if wanted.side == "query" else matched
        with asking.decoding:
            picture = picture_of(subject, build, preprocessing, max_side=max_side)
            painted = paint(picture, evidence, side=wanted.side, part=wanted.part, style=wanted.style)
        parts = (asked.checksum, matched.checksum, wanted, judging.identity, picture.drawn_on, max_side)

        def make() -> Response:
            return Response(png(painted), headers={DRAWN_ON: picture.drawn_on}, media_type=PNG)

        answer = viewing.answer(tag_of("kept", *parts), None, make)
        answer.headers["Vary"] = f"{WHO_ASKS}, {QUERY_ID}"  # its address does not say of which query it is
        return answer
