"""The board where jobs are asked for, looked at and cancelled; who does them is `gallery.jobs.claim`'s."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from gallery.clock import utc_now
from gallery.database import writing
from gallery.errors import JobEnded, WriteToDoomed
from gallery.filters.attributes import is_storable
from gallery.jobs.job import Job, JobError, State
from gallery.jobs.requests import DeleteRequest, JobRequest
from gallery.jobs.rows import ended, job_of, job_row, job_rows
from gallery.records.jobs import JobErrorRecord, JobRecord
from gallery.summaries import DELETE


class JobBoard:
    """The jobs behind one database. Safe for many threads and processes."""

    def __init__(self, engine: Engine, *, clock: Callable[[], datetime] = utc_now) -> None:
        self.engine = engine
        self.clock = clock

    def ask(self, request: JobRequest, *, gallery: str, by: str | None = None) -> Job:
        """Ask for work on the gallery, which need not be there yet; `by` is who asks.

        Raises WriteToDoomed while a job is to delete it.
        """
        row = self._row(request, gallery, by)
        with writing(self.engine) as connection:
            _require_kept(connection, gallery, request)
            job_id = connection.scalars(insert(JobRecord).values(row).returning(JobRecord.id)).one()
            return job_of(job_row(connection, job_id))

    def ask_once(self, request: JobRequest, *, gallery: str, by: str | None = None) -> Job:
        """The same, unless the very same is queued already: then that will do.

        A deletion that runs will do, too: another one would delete what is made under that name next.
        """
        states = ["queued", "running"] if isinstance(request, DeleteRequest) else ["queued"]
        queued = job_rows().where(
            JobRecord.gallery == gallery,
            JobRecord.kind == request.kind,
            JobRecord.state.in_(states),
            JobRecord.cancel_asked_at.is_(None),
        )
        with writing(self.engine) as connection:
            _require_kept(connection, gallery, request)
            for row in connection.execute(queued):
                if row.request == request.model_dump(mode="json"):
                    return job_of(row)
            made = insert(JobRecord).values(self._row(request, gallery, by)).returning(JobRecord.id)
            return job_of(job_row(connection, connection.scalars(made).one()))

    def require_kept(self, gallery: str) -> None:
        """Raises WriteToDoomed while a job is to delete the gallery: what is given to it would be lost."""
        with self.engine.connect() as connection:
            _require_kept(connection, gallery)

    def get(self, job_id: int) -> Job:
        """One job; raises JobNotFound."""
        with self.engine.connect() as connection:
            return job_of(job_row(connection, job_id))

    def list(
        self,
        *,
        gallery: str | None = None,
        states: Collection[State] = (),
        before: int | None = None,
        limit: int,
    ) -> Sequence[Job]:
        """The newest first, those with an id below `before`; of one gallery, in one of these states."""
        statement = job_rows().order_by(JobRecord.id.desc()).limit(limit)
        if gallery is not None:
            statement = statement.where(JobRecord.gallery == gallery)
        if states:
            statement = statement.where(JobRecord.state.in_(states))
        if before is not None:
            statement = statement.where(JobRecord.id < before)
        with self.engine.connect() as connection:
            return [job_of(row) for row in connection.execute(statement)]

    def errors(self, job_id: int, *, after: int = 0, limit: int | None = None) -> Sequence[JobError]:
        """The files that the job could not read, from the one behind number `after`; raises JobNotFound."""
        columns = (JobErrorRecord.place, JobErrorRecord.uri, JobErrorRecord.checksum, JobErrorRecord.reason)
        statement = (
            select(*columns)
            .where(JobErrorRecord.job_id == job_id, JobErrorRecord.place > after)
            .order_by(JobErrorRecord.place)
        )
        with self.engine.connect() as connection:
            job_row(connection, job_id)
            return [JobError(*row) for row in connection.execute(statement.limit(limit))]

    def cancel(self, job_id: int) -> Job:
        """End it: at once while it waits, after its batch where it runs; again changes nothing.

        What was published stays. Raises JobNotFound, and JobEnded for one that is done or failed.
        """
        with writing(self.engine) as connection:
            row = job_row(connection, job_id)
            if row.state in {"done", "failed"}:
                raise JobEnded(f"Job {job_id} is {row.state} since {row.ended_at:%Y-%m-%d %H:%M:%S} UTC.")
            change: dict[str, Any] = {"cancel_asked_at": row.cancel_asked_at or self.clock()}
            if row.state == "queued":
                change |= ended("cancelled", self.clock())
            if row.state != "cancelled":
                connection.execute(update(JobRecord).where(JobRecord.id == job_id).values(change))
            return job_of(job_row(connection, job_id))

    def forget(self, older_than: timedelta) -> int:
        """Forget the jobs that ended longer ago; returns how many."""
        doomed = delete(JobRecord).where(JobRecord.ended_at < self.clock() - older_than)
        with writing(self.engine) as connection:
            return connection.execute(doomed).rowcount

    def _row(self, request: JobRequest, gallery: str, by: str | None) -> dict[str, Any]:
        return {
            "kind": request.kind,
            "gallery": gallery,
            "request": request.model_dump(mode="json"),
            "asked_by": by,
            "state": "queued",
            "asked_at": self.clock(),
            "attempts": 0,
            "errors": 0,
        }


def _require_kept(connection: Connection, gallery: str, request: JobRequest | None = None) -> None:
    if not is_storable(gallery):
        return  # no job is of such a name, and no database may be asked for it
    deletes = (JobRecord.gallery == gallery, JobRecord.kind == DELETE, JobRecord.ended_at.is_(None))
    job_id = connection.scalar(select(func.min(JobRecord.id)).where(*deletes))
    if job_id is not None and not isinstance(request, DeleteRequest):
        raise WriteToDoomed(
            f"The gallery {gallery!r} is being deleted, by job {job_id}, and takes nothing any more; "
            "cancel that job, or wait for it."
        )
