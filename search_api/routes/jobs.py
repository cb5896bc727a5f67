"""Jobs: long work that was asked for, and how far it is."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import StreamingResponse

from search_api.answers.jobs import error_list, error_table, job_list, job_schema
from search_api.routes.asking import StorableText, refusals
from search_api.routes.managing import Manages
from search_api.schemas.asking import MAX_DATABASE_ID
from search_api.schemas.jobs import JobErrorList, JobList, JobSchema, JobState

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

CSV = "text/csv"
MOST_LISTED = 1000

JobId = Annotated[int, Path(ge=1, le=MAX_DATABASE_ID, description="As the request that asked for it told.")]
Limit = Annotated[int, Query(ge=1, le=MOST_LISTED, description="The most that one answer holds.")]


@router.get("", summary="List the jobs", responses=refusals(422))
def list_jobs(
    managing: Manages,
    gallery: Annotated[StorableText | None, Query(description="Only those of this gallery.")] = None,
    state: Annotated[list[JobState] | None, Query(description="Only those in one of these states.")] = None,
    before: Annotated[
        int | None, Query(ge=1, le=MAX_DATABASE_ID, description="Only those asked for before this one.")
    ] = None,
    limit: Limit = 100,
) -> JobList:
    """The newest first; those that ended long ago are forgotten."""
    return job_list(managing.board, gallery=gallery, states=state or [], before=before, limit=limit)


@router.get("/{job_id}", summary="How far is a job?", responses=refusals(404, 422))
def get_job(managing: Manages, job_id: JobId) -> JobSchema:
    """One job, with its progress while it runs, and what came of it."""
    return job_schema(managing.board.get(job_id))


@router.get("/{job_id}/errors", summary="What could a job not read?", responses=refusals(404, 422))
def list_job_errors(
    managing: Manages,
    job_id: JobId,
    after: Annotated[int, Query(ge=0, le=MAX_DATABASE_ID, description="Only those after this place.")] = 0,
    limit: Limit = 100,
) -> JobErrorList:
    """The files that could not be read, each with its reason, once the job is done."""
    return error_list(managing.board, job_id, after=after, limit=limit)


@router.get(
    "/{job_id}/errors.csv",
    summary="The same as a table",
    response_class=StreamingResponse,
    responses={200: {"content": {CSV: {}}}, **refusals(404, 422)},
)
def get_job_errors_table(managing: Manages, job_id: JobId) -> StreamingResponse:
    """All of them, with the columns uri, reason and checksum."""
    managing.board.get(job_id)  # refuses before the answer begins
    name = f"job-{job_id}-errors.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(error_table(managing.board, job_id), headers=headers, media_type=CSV)


@router.post("/{job_id}/cancel", summary="Cancel a job", responses=refusals(404, 409, 422))
def cancel_job(managing: Manages, job_id: JobId) -> JobSchema:
    """At once while it waits, after its batch where it runs; what was published stays.

    Cancelling it again changes nothing; one that is done or failed is refused.
    """
    return job_schema(managing.board.cancel(job_id))
