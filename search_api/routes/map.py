"""A gallery as a map to wander in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from gallery.removals import removed_from
from search_api.maps.gallery_maps import GalleryMaps
from search_api.routes.asking import JSON, Asking, NamedBuild, refusals
from search_api.routes.caching import tag_of, viewed
from search_api.schemas.map import GalleryMapSchema

router = APIRouter(prefix="/v1/galleries", tags=["galleries"])


async def _maps(request: Request) -> GalleryMaps:
    maps: GalleryMaps = request.app.state.maps
    return maps


@router.get(
    "/{name}/map",
    summary="The images of a gallery in the plane",
    response_model=GalleryMapSchema,
    responses=refusals(404, 422),
)
def get_map(
    asking: Asking,
    maps: Annotated[GalleryMaps, Depends(_maps)],
    request: Request,
    name: str,
    build: NamedBuild = None,
) -> Response:
    """Images that look alike lie near each other, by the two principal components of their embeddings; and
    clusters of them, by all of the embeddings. Made at the first question to a build, which takes seconds;
    an image that is removed leaves it, and the others stay where they are. A browser asks first.
    """
    with asking.builds.lend(name) as (lent, _):
        removed = removed_from(lent)
        tag = tag_of("map", lent.gallery, lent.number, lent.fingerprint, *sorted(removed))
        viewing = viewed(request, name, build)

        def make() -> Response:
            return Response(maps.of(lent, without=removed), media_type=JSON)

        return viewing.answer(tag, None, make)
