"""An example of each answer of the routes that manage galleries."""

from __future__ import annotations

from typing import Any

_JOB: dict[str, Any] = {
    "id": 12,
    "kind": "import",
    "gallery": "flowers",
    "request": {
        "kind": "import",
        "sources": ["/data/flowers"],
        "encoder": {"checkpoint": None, "body": None, "weights": None},
        "refit": False,
        "allow_empty": False,
        "retry_failed": False,
        "rehash": False,
    },
    "asked_by": "curator",
    "state": "running",
    "cancelling": False,
    "asked_at": "2026-11-26T09:30:00Z",
    "started_at": "2026-11-26T09:30:01Z",
    "ended_at": None,
    "attempts": 1,
    "progress": {
        "stage": "indexing",
        "done": 2048,
        "total": 4317,
        "counts": {"embedded": 2044, "known": 3, "unreadable": 1},
        "per_second": 56.2,
        "seconds_left": 40.4,
    },
    "outcome": None,
    "reason": None,
    "errors": 0,
}
_QUEUED = {**_JOB, "state": "queued", "started_at": None, "attempts": 0, "progress": None}

EXAMPLES: dict[str, dict[str, Any]] = {
    "import_sources": _QUEUED,
    "upload": {
        **_QUEUED,
        "kind": "upload",
        "request": {"kind": "upload", "files": 12, "encoder": _JOB["request"]["encoder"]},
    },
    "list_jobs": {"jobs": [_JOB], "next_before": None},
    "get_job": _JOB,
    "list_job_errors": {
        "errors": [
            {
                "place": 1,
                "uri": "/data/flowers/tulip/broken.jpg",
                "checksum": "4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865",
                "reason": "the file is cut off",
            }
        ],
        "next_after": None,
    },
    "cancel_job": {**_JOB, "cancelling": True},
}
