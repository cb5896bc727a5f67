"""What people say of the pairs that a gallery finds."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from gallery.jobs.board import JobBoard
from gallery.judgements import Judgements
from search_api.answers.groups import judgement_schema
from search_api.errors import InvalidQuestion
from search_api.routes.asking import Asking, StorableText, refusals
from search_api.schemas.asking import MAX_DATABASE_ID
from search_api.schemas.judgements import JudgedJson, JudgementList, JudgementSchema
from search_api.search import Searcher
from search_api.visits import visit_of

router = APIRouter(prefix="/v1/galleries/{name}/judgements", tags=["judgements"])

PAGE = 1000
"""Judgements of one answer, at most."""

JudgementId = Annotated[int, Path(ge=1, le=MAX_DATABASE_ID, description="As the list names it.")]


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    summary="Judge a pair right or wrong",
    responses=refusals(404, 409, 422),
)
def judge(asking: Asking, name: str, judged: JudgedJson, request: Request) -> JudgementSchema:
    """The last word on a pair stands; what stood before is revoked.

    Searches of this gallery leave out a pair that was judged wrong, whichever of both they ask with.
    """
    _require_kept(asking, name)
    key = visit_of(request.scope).key
    query, matched = _contents(asking, name, judged)
    author = judged.author or (key.name if key else None)
    right = judged.says == "right"
    return judgement_schema(_judgements(asking, name).judge(query, matched, right=right, author=author))


@router.get("", summary="List the judgements", responses=refusals(404, 422))
def list_judgements(
    asking: Asking,
    name: str,
    checksum: Annotated[
        StorableText | None, Query(max_length=64, description="Only those on pairs of this content.")
    ] = None,
    revoked: Annotated[bool, Query(description="Those that were revoked, too.")] = False,
    after: Annotated[int, Query(ge=0, le=MAX_DATABASE_ID, description="Only those after this one.")] = 0,
    limit: Annotated[int, Query(ge=1, le=PAGE)] = PAGE,
) -> JudgementList:
    """Those that stand, the oldest first."""
    found = _judgements(asking, name).listed(checksum=checksum, revoked=revoked, after=after, limit=limit + 1)
    page = found[:limit]
    following = page[-1].judgement_id if len(found) > limit else None
    return JudgementList(judgements=[judgement_schema(each) for each in page], next_after=following)


@router.delete("/{judgement_id}", summary="Revoke a judgement", responses=refusals(404, 409, 422))
def revoke_judgement(asking: Asking, name: str, judgement_id: JudgementId) -> JudgementSchema:
    """It holds no longer, and is kept with the time when it was revoked; again changes nothing."""
    _require_kept(asking, name)
    return judgement_schema(_judgements(asking, name).revoke(judgement_id))


def _require_kept(asking: Searcher, name: str) -> None:
    JobBoard(asking.galleries.engine).require_kept(name)


def _judgements(asking: Searcher, name: str) -> Judgements:
    return Judgements(asking.galleries.site(name))


def _contents(asking: Searcher, name: str, judged: JudgedJson) -> tuple[str, str]:
    """The checksums of the pair; raises ImageNotFound, and InvalidQuestion unless one query is named."""
    if (judged.query_checksum is None) == (judged.query_image_id is None):
        raise InvalidQuestion("Name the query by either query_checksum or query_image_id.")
    with asking.builds.lend(name) as (build, _):
        matched = build.image(judged.image_id).checksum
        if judged.query_image_id is not None:
            return build.image(judged.query_image_id).checksum, matched
    return str(judged.query_checksum), matched
