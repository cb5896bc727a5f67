"""Who does a job: a row with a token, renewed while the work goes on, and taken over from the dead.

It is what the lease is for a gallery (`gallery.leases`), for work that waits until somebody takes it.
"""

import os
import platform
import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, insert, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import aliased

from gallery.database import writing
from gallery.errors import JobCancelled, JobTakenOver
from gallery.filters.attributes import storable
from gallery.jobs.board import JobBoard
from gallery.jobs.job import Job, JobProgress
from gallery.jobs.rows import FREE, ended, job_of, job_rows
from gallery.leases import is_alive
from gallery.membership import chunks
from gallery.records.jobs import JobErrorRecord, JobRecord
from gallery.surveys.seen import Unreadable

TELLING_SECONDS = 1.0
"""How often a worker writes how far it is, and looks whether somebody has cancelled."""

MOST_ATTEMPTS = 3
"""Claims after which a job that ended each of its workers is given up: the next one would end, too."""

PATIENCE = timedelta(seconds=2)
"""After how long a job is tried again whose gallery somebody else was writing."""


def claim(board: JobBoard) -> "Claim | None":
    """The right to do the oldest job that can be done now; None where there is none.

    Jobs of one gallery are done one after the other. One whose worker has died goes on; the one that has
    ended MOST_ATTEMPTS workers has failed.
    """
    with board.engine.connect() as connection:
        if not _claimable(connection, board):
            return None  # most looks find nothing, and take no turn among those who write
    with writing(board.engine) as connection:
        for row in _claimable(connection, board):
            this = JobRecord.id == row.id
            if row.cancel_asked_at is not None:
                cancelled = ended("cancelled", board.clock())
                connection.execute(update(JobRecord).where(this).values(cancelled))
            elif row.attempts >= MOST_ATTEMPTS:
                reason = f"Its worker has ended {row.attempts} times while it did this job."
                failed = ended("failed", board.clock(), reason=row.reason or reason)
                connection.execute(update(JobRecord).where(this).values(failed))
            else:
                return _taken(connection, board, row)
    return None


def _claimable(connection: Connection, board: JobBoard) -> list[Row[Any]]:
    """Jobs that wait, and those whose worker has died, the oldest first; one of each gallery."""
    now = board.clock()
    running = aliased(JobRecord)
    busy = select(running.gallery).where(running.state == "running")
    waiting = job_rows().where(
        JobRecord.state == "queued",
        JobRecord.gallery.not_in(busy),
        JobRecord.not_before.is_(None) | (JobRecord.not_before <= now),
    )
    held = connection.execute(job_rows().where(JobRecord.state == "running")).all()
    dead = [row for row in held if not is_alive(row, now)]
    first: dict[str, Row[Any]] = {}
    for row in [*dead, *connection.execute(waiting.order_by(JobRecord.id))]:
        first.setdefault(row.gallery, row)
    return sorted(first.values(), key=lambda row: int(row.id))


def _taken(connection: Connection, board: JobBoard, row: Row[Any]) -> "Claim":
    token, now = uuid.uuid4().hex, board.clock()
    values = {
        "state": "running",
        "token": token,
        "host": platform.node(),
        "process_id": os.getpid(),
        "renewed_at": now,
        "started_at": row.started_at or now,
        "not_before": None,
        "reason": None,
        "attempts": row.attempts + 1,
    }
    connection.execute(update(JobRecord).where(JobRecord.id == row.id).values(values))
    return Claim(board, job_of(row), token)


class Claim:
    """The right to do one job, while the block runs; whatever the block does not end is given back.

    Giving back does not count as an attempt, so that workers may be stopped and started at any time; it does
    where the work is done and its end could not be written, which would be so again and again.
    """

    def __init__(self, board: JobBoard, job: Job, token: str) -> None:
        self.job = job
        self._board = board
        self._token = token
        self._progress: JobProgress | None = None
        self._reason_to_stop: Exception | None = None
        self._given_back: dict[str, Any] = {"attempts": JobRecord.attempts - 1}
        self._ended = threading.Event()
        self._telling = threading.Thread(target=self._tell_until_ended, name=f"job {job.id}", daemon=True)

    def __enter__(self) -> "Claim":
        self._telling.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._telling.join()
        self._leave({"state": "queued", **FREE, **self._given_back})

    def tell(self, progress: JobProgress) -> None:
        """How far it is; raises JobCancelled and JobTakenOver where the work is to end here."""
        self._progress = progress
        if self._reason_to_stop is not None:
            raise self._reason_to_stop

    def done(self, outcome: Mapping[str, Any], errors: Sequence[Unreadable] = ()) -> None:
        """It is done, and this came of it."""
        self._end(
            ended("done", self._board.clock(), outcome=dict(outcome), errors=len(errors), **self._last()),
            errors,
        )

    def failed(self, reason: str) -> None:
        """It cannot be done; the reason is a sentence."""
        self._end(ended("failed", self._board.clock(), reason=storable(reason), **self._last()))

    def cancelled(self) -> None:
        """It has ended because somebody cancelled it."""
        self._end(ended("cancelled", self._board.clock(), **self._last()))

    def postponed(self, reason: str) -> None:
        """It waits until its gallery is free; the reason is a sentence, and stands there meanwhile."""
        later = self._board.clock() + PATIENCE
        self._leave(
            {
                "state": "queued",
                **FREE,
                "attempts": JobRecord.attempts - 1,
                "not_before": later,
                "reason": storable(reason),
            }
        )

    @property
    def _held(self) -> ColumnElement[bool]:
        return (JobRecord.id == self.job.id) & (JobRecord.token == self._token)

    def _last(self) -> dict[str, Any]:
        return {} if self._progress is None else {"progress": asdict(self._progress)}

    def _end(self, values: Mapping[str, Any], errors: Sequence[Unreadable] = ()) -> None:
        try:
            self._leave(values, errors)
        except Exception as error:
            told = f"What came of it could not be written ({type(error).__name__})."
            self._given_back = {"reason": told}
            raise

    def _leave(self, values: Mapping[str, Any], errors: Sequence[Unreadable] = ()) -> None:
        with writing(self._board.engine) as connection:
            left = connection.execute(update(JobRecord).where(self._held).values(dict(values)))
            if left.rowcount and errors:
                _record_errors(connection, self.job.id, errors)

    def _tell_until_ended(self) -> None:
        while not self._ended.wait(TELLING_SECONDS):
            try:
                self._look()
            except SQLAlchemyError:
                continue  # a busy database; the lease's expiry leaves room for many more attempts

    def _look(self) -> None:
        with self._board.engine.connect() as connection:
            row = connection.execute(job_rows().where(self._held)).one_or_none()
        if row is None:
            self._reason_to_stop = JobTakenOver(f"Job {self.job.id} was taken over by another worker.")
        elif row.cancel_asked_at is not None:
            self._reason_to_stop = JobCancelled(f"Job {self.job.id} was cancelled.")
        if row is not None:
            self._renew()

    def _renew(self) -> None:
        values: dict[str, Any] = {"renewed_at": self._board.clock(), **self._last()}
        with writing(self._board.engine) as connection:
            connection.execute(update(JobRecord).where(self._held).values(values))


def _record_errors(connection: Connection, job_id: int, errors: Sequence[Unreadable]) -> None:
    rows = (
        {
            "job_id": job_id,
            "place": place,
            "uri": storable(each.uri),
            "checksum": each.checksum,
            "reason": storable(each.reason),
        }
        for place, each in enumerate(errors, start=1)
    )
    for chunk in chunks(rows):
        connection.execute(insert(JobErrorRecord), chunk)
