"""The images of a gallery: what is known of them, their pictures, and evidence painted over these."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from fastapi.exceptions import RequestValidationError
from starlette.responses import Response

from search_api.answers import responses
from search_api.errors import InvalidQuestion
from search_api.evidence.explaining import Judging, compared
from search_api.evidence.overlays import Part, Style, WhichSide, paint
from search_api.queries.pictures import jpeg, original, png, stored_picture, thumbnail
from search_api.queries.subjects import KeptUpload
from search_api.routes.asking import JPEG, PNG, Asking, GalleryName, ImageId, refusals
from search_api.routes.caching import Viewing, tag_of
from search_api.routes.kept_overlays import DRAWN_ON, WantedOverlay, kept_overlay
from search_api.schemas.asking import MAX_DATABASE_ID, MAX_QUERY_ID
from search_api.schemas.base import ExplainedScore, ScorerName
from search_api.schemas.galleries import ImageSchema
from search_api.schemas.query import QUERY_ID

router = APIRouter(prefix="/v1/images", tags=["images"])


MISSING = {
    "loc": ("query", "query"),
    "msg": f"Field required, or the header {QUERY_ID} instead",
    "type": "missing",
}
"""What is wrong with a question for an overlay that names nothing that was asked with."""


def sent_as(media_type: str) -> dict[str, Any]:
    """What the routes of pictures say of their answers."""
    responses = {200: {"content": {media_type: {}}}, **refusals(404, 422)}
    return {"response_class": Response, "responses": responses}


@router.get("/{image_id}", summary="Look into one image", responses=refusals(404, 422))
def get_image(asking: Asking, image_id: ImageId, gallery: GalleryName = None) -> ImageSchema:
    """Where the image lies, its label and size, and whether its original is still what was indexed."""
    with asking.builds.lend(gallery) as (build, _), asking.decoding:
        return responses.image_schema(build.image(image_id), build)


@router.get("/{image_id}/thumbnail", summary="The image, small", **sent_as(JPEG))
def get_thumbnail(asking: Asking, viewing: Viewing, image_id: ImageId) -> Response:
    """The whole picture as JPEG, as it was when it was indexed."""
    with asking.builds.lend(viewing.gallery) as (build, _):
        tag = tag_of("thumbnail", build.fingerprint, build.image(image_id).checksum)
        return viewing.answer(
            tag, build.number, lambda: Response(thumbnail(image_id, build), media_type=JPEG)
        )


@router.get("/{image_id}/picture", summary="The image, large", **sent_as(JPEG))
def get_picture(asking: Asking, viewing: Viewing, image_id: ImageId) -> Response:
    """The picture as JPEG in the size of the overlays: newly encoded, so nothing is in it but what is seen.

    From the thumbnail where the original is gone or changed; the header X-Drawn-On says so.
    """
    side = asking.settings.overlay_max_side
    with asking.builds.lend(viewing.gallery) as (build, checkpoint), asking.decoding:
        image = build.image(image_id)
        found = original(image)

        def make() -> Response:
            preprocessing = checkpoint.record.preprocessing
            picture = stored_picture(image, build, preprocessing, max_side=side, found=found)
            return Response(jpeg(picture.image), headers={DRAWN_ON: picture.drawn_on}, media_type=JPEG)

        return viewing.answer(tag_of("picture", image.checksum, found.state, side), build.number, make)


@router.get(
    "/{image_id}/overlay",
    summary="Why two images of the gallery match, painted",
    **sent_as(PNG),
)
def get_overlay(
    asking: Asking,
    viewing: Viewing,
    image_id: ImageId,
    query: Annotated[
        int | None, Query(ge=1, le=MAX_DATABASE_ID, description="The image that was asked with.")
    ] = None,
    query_id: Annotated[
        str | None,
        Header(alias=QUERY_ID, max_length=MAX_QUERY_ID, description="Instead: a picture that is kept."),
    ] = None,
    part: Annotated[Part, Query(description="What supports the verdict or speaks against it.")] = "factual",
    side: Annotated[WhichSide, Query(description="Over which of the two pictures.")] = "matched",
    style: Annotated[
        Style, Query(description="Over the picture, or the heat alone on transparent.")
    ] = "overlay",
    scorer: Annotated[ScorerName, Query(description="What gave the verdict of the match.")] = "distance",
    explained: Annotated[
        ExplainedScore | None, Query(description="The number that the maps explain; by default the scorer's.")
    ] = None,
) -> Response:
    """One part of the evidence over one picture of the pair, as PNG, drawn from what is stored.

    As a search explains the match. From the thumbnail where the original is gone or changed; the header
    X-Drawn-On says so. A browser asks first: the encoder may be calibrated anew.
    """
    if query is None and query_id is None:
        raise RequestValidationError([MISSING])
    if query is not None and query_id is not None:
        raise InvalidQuestion(f"Name what was asked with by either query or {QUERY_ID}, not by both.")
    max_side = asking.settings.overlay_max_side
    if query is None:
        wanted = WantedOverlay(image_id, part, side, style, scorer, explained)
        return kept_overlay(asking, viewing, asking.given(KeptUpload(str(query_id))), wanted)
    with asking.builds.lend(viewing.gallery) as (build, checkpoint):
        judging = Judging.by(checkpoint, "shown", scorer, explained, usual=build.manifest.usual)
        pair = build.shown([query, image_id])
        image, other = pair if side == "query" else reversed(pair)
        keeps = build.manifest.local_embeddings
        with asking.decoding:
            found = original(image)
            other_state = original(other).state if keeps == "none" else None  # then its map is made of it

        def make() -> Response:
            asked, matched = asking.reader.stored([query, image_id], build)
            _, evidence = compared(asked, matched, judging)
            preprocessing = checkpoint.record.preprocessing
            with asking.decoding:
                picture = stored_picture(image, build, preprocessing, max_side=max_side, found=found)
                painted = paint(picture, evidence, side=side, part=part, style=style)
                return Response(png(painted), headers={DRAWN_ON: picture.drawn_on}, media_type=PNG)

        about = (judging.identity, side, part, style, found.state, max_side, keeps, other_state)
        return viewing.answer(tag_of("overlay", pair[0].checksum, pair[1].checksum, *about), None, make)
