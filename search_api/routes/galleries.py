"""What can be searched."""

from __future__ import annotations

from fastapi import APIRouter

from search_api.answers import responses
from search_api.routes.asking import Asking, refusals
from search_api.schemas.galleries import GalleryDetail, GalleryList

router = APIRouter(prefix="/v1/galleries", tags=["galleries"])


@router.get("", summary="List the galleries", responses=refusals())
def list_galleries(asking: Asking) -> GalleryList:
    """The galleries that can be searched, by name; one whose first build is not published is left out."""
    return GalleryList(galleries=[responses.published_gallery(each) for each in asking.galleries.published()])


@router.get("/{name}", summary="Look into one gallery", responses=refusals(404, 422))
def get_gallery(asking: Asking, name: str) -> GalleryDetail:
    """One gallery, with its labels and what its verdicts stand on."""
    with asking.builds.lend(name) as (build, checkpoint):
        return responses.gallery_detail(build, checkpoint, asking.watch.drift(build))
