"""A job as people see it: what was asked, how far it is, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

State = Literal["queued", "running", "done", "failed", "cancelled"]
"""A queued job is claimed and runs; one that runs ends in one of the last three, and then stays so."""

ENDED: frozenset[State] = frozenset({"done", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class JobProgress:
    """How far a job is: `done` of `total` (None where nobody knows) in this `stage`, by outcome in `counts`.

    `per_second` and `seconds_left` are None until something was done.
    """

    stage: str
    done: int = 0
    total: int | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    per_second: float | None = None
    seconds_left: float | None = None


@dataclass(frozen=True, slots=True)
class JobError:
    """A file that a job could not read, and why; `place` is its number among them, from 1."""

    place: int
    uri: str
    checksum: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Job:
    """Long work on one gallery. `outcome` is the report of one that is done; `reason` says why one failed, or
    what one waits for that was begun and put off.

    `errors` counts the files that it could not read; `is_ending` says that somebody has cancelled it, and it
    ends after its batch.
    """

    id: int
    kind: str
    gallery: str
    request: Mapping[str, Any]
    asked_by: str | None
    state: State
    is_ending: bool
    asked_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    attempts: int
    progress: JobProgress | None
    outcome: Mapping[str, Any] | None
    reason: str | None
    errors: int
