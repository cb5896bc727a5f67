"""The images of a gallery: what is known of them, their pictures, and evidence painted over these."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from search_api import answers
from search_api.asking import MAX_DATABASE_ID, Asking, GalleryName, ImageId, NamedBuild, refusals
from search_api.caching import conditional, tag_of
from search_api.judging import judged
from search_api.overlays import Part, WhichSide, paint
from search_api.pictures import jpeg, original, picture_of, png
from search_api.schemas import ExplainedScore, ImageSchema
from search_api.subjects import stored_subjects

router = APIRouter(prefix="/v1/images", tags=["images"])

DRAWN_ON = "X-Drawn-On"
"""Header that says whether a picture is the original or its thumbnail."""

JPEG = "image/jpeg"
PNG = "image/png"


@router.get("/{image_id}", summary="Look into one image", responses=refusals(404, 422))
def get_image(asking: Asking, image_id: ImageId, gallery: GalleryName = None) -> ImageSchema:
    """Where the image lies, its label and size, and whether its original is still what was indexed."""
    with asking.builds.lend(gallery) as (build, _):
        return answers.image_schema(build.image(image_id), build)


@router.get(
    "/{image_id}/thumbnail",
    summary="The image, small",
    response_class=Response,
    responses={200: {"content": {JPEG: {}}}, **refusals(404, 422)},
)
def get_thumbnail(
    asking: Asking,
    request: Request,
    image_id: ImageId,
    gallery: GalleryName = None,
    build: NamedBuild = None,
) -> Response:
    """The whole picture as JPEG, as it was when it was indexed."""
    with asking.builds.lend(gallery) as (opened, _):
        image = opened.image(image_id)
        return conditional(
            request,
            tag_of("thumbnail", opened.fingerprint, image.checksum),
            lambda: Response(opened.thumbnail(image_id), media_type=JPEG),
            named_build=build,
            build=opened.number,
        )


@router.get(
    "/{image_id}/picture",
    summary="The image, large",
    response_class=Response,
    responses={200: {"content": {JPEG: {}}}, **refusals(404, 422)},
)
def get_picture(
    asking: Asking,
    request: Request,
    image_id: ImageId,
    gallery: GalleryName = None,
    build: NamedBuild = None,
) -> Response:
    """The picture as JPEG in the size of the overlays: newly encoded, so nothing is in it but what is seen.

    From the thumbnail where the original is gone or changed; the header X-Drawn-On says so.
    """
    side = asking.settings.overlay_max_side
    with asking.builds.lend(gallery) as (opened, record):
        (subject,) = stored_subjects(opened, [image_id])
        state, _ = original(opened.image(image_id))

        def make() -> Response:
            picture = picture_of(subject, opened, record.preprocessing, max_side=side)
            headers = {DRAWN_ON: picture.drawn_on}
            return Response(jpeg(picture.image), headers=headers, media_type=JPEG)

        tag = tag_of("picture", subject.checksum, state, side)
        return conditional(request, tag, make, named_build=build, build=opened.number)


@router.get(
    "/{image_id}/overlay",
    summary="Why two images of the gallery match, painted",
    response_class=Response,
    responses={200: {"content": {PNG: {}}}, **refusals(404, 422)},
)
def get_overlay(
    asking: Asking,
    request: Request,
    image_id: ImageId,
    query: Annotated[int, Query(ge=1, le=MAX_DATABASE_ID, description="The image that was asked with.")],
    part: Annotated[Part, Query(description="What supports the verdict or speaks against it.")] = "factual",
    side: Annotated[WhichSide, Query(description="Over which of the two pictures.")] = "matched",
    explained: Annotated[ExplainedScore, Query(description="The number that the maps explain.")] = "cosine",
    gallery: GalleryName = None,
    build: NamedBuild = None,
) -> Response:
    """One part of the evidence over one picture of the pair, as PNG, drawn from what is stored.

    From the thumbnail where the original is gone or changed; the header X-Drawn-On says so.
    """
    max_side = asking.settings.overlay_max_side
    with asking.builds.lend(gallery) as (opened, record):
        asked, matched = stored_subjects(opened, [query, image_id])
        shown = asked if side == "query" else matched

        def make() -> Response:
            _, evidence = judged(asked, matched, record.calibration, explained)
            picture = picture_of(shown, opened, record.preprocessing, max_side=max_side)
            painted = paint(picture, evidence, side=side, part=part)
            return Response(png(painted), headers={DRAWN_ON: picture.drawn_on}, media_type=PNG)

        state = original(shown.stored)[0] if shown.stored else None
        about = (record.fingerprint, record.calibration.threshold, explained, side, part, state, max_side)
        tag = tag_of("overlay", asked.checksum, matched.checksum, *about)
        return conditional(request, tag, make, named_build=build, build=opened.number)
