"""What is left out of a gallery: files that could not be read."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path, Query

from gallery.surveys.pages import LONGEST, unreadable_page
from search_api.routes.asking import StorableText, refusals
from search_api.routes.managing import Manages
from search_api.schemas.managing import UnreadableFile, UnreadableList

router = APIRouter(prefix="/v1/galleries/{name}/unreadable", tags=["images"])

PAGE = 1000
"""Files of one answer, at most."""


@router.get("", summary="List what could not be read", responses=refusals(404, 422))
def list_unreadable(
    managing: Manages,
    name: Annotated[StorableText, Path(description="The gallery.")],
    after: Annotated[
        StorableText | None,
        Query(description="Only those after this uri, or what next_after was.", max_length=LONGEST),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE, description="The most that one answer holds.")] = 100,
) -> UnreadableList:
    """The files of its sources that are no images of it, each with the reason, a page at a time."""
    site = managing.galleries.site(name)
    with site.engine.connect() as connection:
        page = unreadable_page(connection, site.gallery_id, after=after, limit=limit)
    files = [UnreadableFile(**asdict(each)) for each in page.files]
    return UnreadableList(total=page.total, files=files, next_after=page.next_after)
