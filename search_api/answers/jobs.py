"""Jobs into the JSON contract."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from gallery.jobs.board import JobBoard
from gallery.jobs.job import Job, JobError, State
from search_api.schemas.jobs import JobErrorList, JobErrorSchema, JobList, JobProgressSchema, JobSchema

PAGE = 1000
"""Errors that are read at a time."""
COLUMNS = ("uri", "reason", "checksum")
"""As `whyalike index --errors` writes them."""


def job_schema(job: Job) -> JobSchema:
    """One job."""
    progress = None if job.progress is None else JobProgressSchema(**asdict(job.progress))
    fields = {name: value for name, value in asdict(job).items() if name in JobSchema.model_fields}
    return JobSchema(**{**fields, "cancelling": job.is_ending, "progress": progress})


def job_list(
    board: JobBoard, *, gallery: str | None, states: Sequence[State], before: int | None, limit: int
) -> JobList:
    """A page of jobs, the newest first."""
    found = board.list(gallery=gallery, states=states, before=before, limit=limit + 1)
    return JobList(
        jobs=[job_schema(each) for each in found[:limit]],
        next_before=found[limit - 1].id if len(found) > limit else None,
    )


def error_list(board: JobBoard, job_id: int, *, after: int, limit: int) -> JobErrorList:
    """A page of the files that a job could not read; raises JobNotFound."""
    found = board.errors(job_id, after=after, limit=limit + 1)
    return JobErrorList(
        errors=[JobErrorSchema(**asdict(each)) for each in found[:limit]],
        next_after=found[limit - 1].place if len(found) > limit else None,
    )


def error_table(board: JobBoard, job_id: int) -> Iterator[str]:
    """All of them as CSV, a page at a time."""
    yield _lines([COLUMNS])
    after = 0
    while page := board.errors(job_id, after=after, limit=PAGE):
        yield _lines([_cells(each) for each in page])
        after = page[-1].place


def _cells(error: JobError) -> tuple[str, str, str]:
    return error.uri, error.reason, error.checksum or ""


def _lines(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
