"""Jobs: long work that was asked for, who does it, how far it is, and what came of it."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from gallery.records.base import NEVER_REUSED, Record, RecordId, UtcDateTime


class JobRecord(Record):
    """Work on one gallery, named and not referred to: a job outlives the gallery that it deletes.

    `token`, `host`, `process_id` and `renewed_at` are of the worker that holds it, null where none does. A
    job that waits for its gallery is not claimed before `not_before`. `attempts` counts its claims less
    those that were given back. `progress` and `outcome` are what the worker tells, `reason` is why it failed.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        Index(
            "ix_jobs_open",
            "state",
            "id",
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_jobs_gallery_id", "gallery", "id"),
        NEVER_REUSED,
    )

    id: Mapped[int] = mapped_column(RecordId, primary_key=True)
    kind: Mapped[str]
    gallery: Mapped[str]
    request: Mapped[dict[str, Any]] = mapped_column(JSON)
    asked_by: Mapped[str | None]
    state: Mapped[str]
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    not_before: Mapped[datetime | None] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancel_asked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    token: Mapped[str | None]
    host: Mapped[str | None]
    process_id: Mapped[int | None]
    renewed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    progress: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    outcome: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    reason: Mapped[str | None]
    errors: Mapped[int] = mapped_column(default=0)


class JobErrorRecord(Record):
    """A file that a job could not read, and why; `place` is its number among the job's, from 1."""

    __tablename__ = "job_errors"

    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    uri: Mapped[str]
    checksum: Mapped[str | None]
    reason: Mapped[str]
