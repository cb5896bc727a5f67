"""Jobs as people read them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gallery.jobs.board import JobBoard
from gallery.jobs.job import JobError
from search_api.schemas.jobs import JobSchema
from whyalike.home import open_galleries
from whyalike.settings import read_settings
from whyalike.tables import UNKNOWN, print_facts, print_rows

ERRORS_SHOWN = 20
"""Files named by `whyalike jobs show`; all are over HTTP, as CSV."""


def open_board() -> JobBoard:
    """The board of the home."""
    return JobBoard(open_galleries(read_settings()).engine)


def print_jobs(jobs: Sequence[JobSchema]) -> None:
    """A line each."""
    rows = [
        (str(each.id), each.kind, each.gallery, each.state, f"{each.asked_at:%Y-%m-%d %H:%M}", _how_far(each))
        for each in jobs
    ]
    print_rows(("job", "kind", "gallery", "state", "asked", ""), rows)


def print_job(job: JobSchema, errors: Sequence[JobError]) -> None:
    """Everything of one."""
    print_facts(_facts(job))
    if errors:
        print_rows(("file", "reason"), [(each.uri, each.reason) for each in errors])


def _facts(job: JobSchema) -> Iterator[tuple[str, str]]:
    yield "job", f"{job.id}: {job.kind} of {job.gallery}"
    yield "state", job.state + (", ends after its batch" if job.cancelling else "")
    yield "asked", f"{job.asked_at:%Y-%m-%d %H:%M:%S}" + (f" by {job.asked_by}" if job.asked_by else "")
    if job.ended_at:
        yield "ended", f"{job.ended_at:%Y-%m-%d %H:%M:%S}"
    yield "attempts", str(job.attempts)
    yield "progress", _how_far(job)
    for name, value in (job.outcome or {}).items():
        yield name, str(value)
    if job.errors:
        yield "unreadable files", str(job.errors)


def _how_far(job: JobSchema) -> str:
    if job.reason:
        return job.reason
    progress = job.progress
    if progress is None:
        return UNKNOWN
    of = "" if progress.total is None else f" of {progress.total}"
    left = "" if not progress.seconds_left else f", {progress.seconds_left:.0f} s left"
    return f"{progress.stage}: {progress.done}{of}{left if job.state == 'running' else ''}"
