"""Rows of jobs as values, and the conditions that several questions share."""

from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, Row, Select, select

from gallery.errors import JobNotFound
from gallery.jobs.job import Job, JobProgress, State
from gallery.records.jobs import JobRecord


def job_rows() -> Select[Any]:
    """All columns of jobs."""
    return select(JobRecord.__table__)


def job_row(connection: Connection, job_id: int) -> Row[Any]:
    """The row of one job; raises JobNotFound."""
    row = connection.execute(job_rows().where(JobRecord.id == job_id)).one_or_none()
    if row is None:
        raise JobNotFound(f"There is no job {job_id}, or it ended so long ago that it is forgotten.")
    return row


def job_of(row: Row[Any]) -> Job:
    """The job in a row."""
    return Job(
        id=row.id,
        kind=row.kind,
        gallery=row.gallery,
        request=row.request,
        asked_by=row.asked_by,
        state=cast(State, row.state),
        is_ending=row.cancel_asked_at is not None and row.ended_at is None,
        asked_at=row.asked_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        attempts=row.attempts,
        progress=None if row.progress is None else JobProgress(**row.progress),
        outcome=row.outcome,
        reason=row.reason,
        errors=row.errors,
    )


FREE: dict[str, None] = {"token": None, "host": None, "process_id": None, "renewed_at": None}
"""What a row says that no worker holds."""


def ended(state: State, at: datetime, **more: Any) -> dict[str, Any]:
    """What a row says of a job that has ended so."""
    return {"state": state, "ended_at": at, **FREE, **more}
