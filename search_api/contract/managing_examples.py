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

_ENCODER = {
    "name": "flowers",
    "fingerprint": "53c234e5e8472b6ac51c1ae1cab3fe06fad053beb8ebfd8977b010655bfdd3c3",
}
_AMENDED = {**_QUEUED, "kind": "amend", "request": {"kind": "amend"}}
_ADDED = {
    **_QUEUED,
    "kind": "upload",
    "request": {
        "kind": "upload",
        "files": 1,
        "uri": "/home/galleries/flowers/uploads/0b8c/tulip.jpg",
        "encoder": _JOB["request"]["encoder"],
    },
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "import_sources": _QUEUED,
    "upload": {
        **_QUEUED,
        "kind": "upload",
        "request": {"kind": "upload", "files": 12, "uri": None, "encoder": _JOB["request"]["encoder"]},
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
    "create_gallery": {"name": "flowers", "build": None},
    "delete_gallery": {**_QUEUED, "kind": "delete", "request": {"kind": "delete"}},
    "list_builds": {
        "gallery": "flowers",
        "build": 7,
        "sources": ["/data/flowers"],
        "builds": [
            {
                "build": 7,
                "published": True,
                "published_at": "2026-11-26T09:31:20Z",
                "encoder": _ENCODER,
                "images": 4317,
                "contents": 4313,
                "labels": 5,
                "bytes": 31_450_112,
                "is_read": True,
            }
        ],
    },
    "activate_build": {**_QUEUED, "kind": "activate", "request": {"kind": "activate", "build": 6}},
    "list_images": {
        "gallery": "flowers",
        "build": 7,
        "images": [
            {
                "image_id": 1204,
                "uri": "/data/flowers/tulip/8733586143_3139db6e9e_n.jpg",
                "label": "tulip",
                "checksum": "4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865",
                "width": 320,
                "height": 240,
                "uploaded": False,
            }
        ],
        "next_after": None,
    },
    "add_image": _ADDED,
    "replace_image": _ADDED,
    "change_image": _AMENDED,
    "delete_image": _AMENDED,
    "list_removals": {
        "removals": [
            {
                "image_id": 1204,
                "uri": "/data/flowers/tulip/8733586143_3139db6e9e_n.jpg",
                "checksum": "4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865",
                "author": "curator",
                "removed_at": "2026-11-26T09:30:00Z",
            }
        ],
        "next_after": None,
    },
    "revoke_removal": _AMENDED,
    "list_unreadable": {
        "total": 1,
        "files": [
            {
                "uri": "/data/flowers/tulip/broken.jpg",
                "checksum": "4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865",
                "reason": "the picture is truncated: its data end too early",
            }
        ],
        "next_after": None,
    },
    "list_encoders": {
        "encoders": [
            {
                **_ENCODER,
                "body": "mobilenet_v2",
                "dimension": 128,
                "image_size": 224,
                "bytes": 9_580_544,
                "threshold": 0.8,
                "calibration": {"fitted_on": "shown", "pairs": 4310, "reason": None},
                "heads": {"pair": True, "classes": True},
                "registered": True,
                "loaded": True,
                "galleries": ["flowers"],
            }
        ]
    },
}
