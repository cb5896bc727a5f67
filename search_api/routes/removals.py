"""Removals: images that people removed from a gallery, listed and taken back."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from gallery.jobs.requests import AmendRequest
from gallery.removals import removals
from gallery.removals import revoke_removal as revoke
from search_api.answers.removals import removal_list
from search_api.routes.asking import ImageId, StorableText, refusals
from search_api.routes.managing import Manages, Saying, accepted
from search_api.schemas.asking import MAX_DATABASE_ID
from search_api.schemas.jobs import JobSchema
from search_api.schemas.managing import RemovalList

router = APIRouter(prefix="/v1/galleries/{name}/removals", tags=["images"])

GalleryPath = Annotated[StorableText, Path(description="The gallery.")]
PAGE = 1000
"""Removals of one answer, at most."""


@router.get("", summary="List the removals", responses=refusals(404, 422))
def list_removals(
    managing: Manages,
    name: GalleryPath,
    after: Annotated[int, Query(ge=0, le=MAX_DATABASE_ID, description="Only those after this one.")] = 0,
    limit: Annotated[int, Query(ge=1, le=PAGE, description="The most that one answer holds.")] = 100,
) -> RemovalList:
    """The images that people have removed, by id, a page at a time."""
    found = removals(managing.galleries.site(name), after=after, limit=limit + 1)
    following = found[limit - 1].image_id if len(found) > limit else None
    return removal_list(found[:limit], next_after=following)


@router.delete(
    "/{image_id}",
    status_code=HTTPStatus.ACCEPTED,
    summary="Take a removal back",
    responses=refusals(404, 409, 422),
)
def revoke_removal(
    managing: Manages, saying: Saying, response: Response, name: GalleryPath, image_id: ImageId
) -> JobSchema:
    """The image is found again, under its id, when a worker has done the job.

    What the gallery keeps of it no more, the next import of its source embeds again. An original that was
    the gallery's own is deleted by the job of its removal, and then there is nothing to take back.
    """
    revoke(managing.writable(name), image_id)
    return accepted(response, managing.board.ask_once(AmendRequest(), gallery=name, by=saying.author))
