"""What the answers look like; a test holds each to its schema."""

from __future__ import annotations

from typing import Any

from search_api.contract.managing_examples import EXAMPLES as MANAGING

_CHECKSUM = "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
_OTHER_CHECKSUM = "4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865"
_ENCODER = {
    "name": "flowers",
    "fingerprint": "53c234e5e8472b6ac51c1ae1cab3fe06fad053beb8ebfd8977b010655bfdd3c3",
}
_CALIBRATION = {"fitted_on": "pair", "pairs": 17280, "reason": None}
_SHOWN = {"fitted_on": "shown", "pairs": 4310, "reason": None}
_THRESHOLD = 0.8

_MATCH: dict[str, Any] = {
    "rank": 1,
    "image_id": 1204,
    "uri": "/pictures/flowers/tulip/8733586143_3139db6e9e_n.jpg",
    "label": "tulip",
    "index_distance": 0.4000001,
    "distance": 0.4,
    "score": 0.4,
    "cosine": 0.92,
    "similarity": 0.6,
    "closer_than": 0.996,
    "closer_than_nearest": 0.42,
    "closeness": "usual",
    "probability": 0.97,
    "verdict": "same",
    "evidence": {
        "explained": {
            "of": "cosine",
            "value": 0.92,
            "baseline": 0.68,
            "baseline_from": "threshold",
            "method": "relevance",
        },
        "balance": {"factual": 0.265, "counterfactual": 0.025, "adds": "factual"},
        "query": {
            "factual": [[0.0, 0.19], [0.08, 0.0]],
            "counterfactual": [[0.03, 0.0], [0.0, 0.0]],
            "computed_from": "upload",
        },
        "matched": {
            "factual": [[0.16, 0.1], [0.0, 0.0]],
            "counterfactual": [[0.0, 0.0], [0.01, 0.01]],
            "computed_from": "stored",
        },
    },
    "reason": {
        "text": "What makes them alike lies mostly at the upper right of the query and at the upper centre "
        "of the match (70 % of it on 25 % of the query, 100 % on 50 % of the match).",
        "short": "What makes them alike lies mostly at the upper right of the query and at the upper centre "
        "of the match.",
        "warnings": [],
        "query": {"share": 0.703704, "area": 0.25, "place": "upper right", "concentration": 0.601852},
        "matched": {"share": 1.0, "area": 0.5, "place": "upper centre", "concentration": 0.557692},
    },
}
_JUDGED_BY: dict[str, Any] = {
    "encoder": _ENCODER,
    "scorer": "distance",
    "threshold": _THRESHOLD,
    "calibration": _CALIBRATION,
}
_GALLERY: dict[str, Any] = {
    "name": "default",
    "build": 7,
    "images": 4317,
    "contents": 4313,
    "encoder": _ENCODER,
}

_SESSION = {"authentication": "keys", "name": "shop front", "scope": "read"}
EXAMPLES: dict[str, dict[str, Any]] = {
    "search": {
        "query": {"uri": "tulip.jpg", "checksum": _CHECKSUM},
        "gallery": "default",
        "build": 7,
        **_JUDGED_BY,
        "calibration": _SHOWN,
        "index": "flat",
        "exhaustive": True,
        "total": 4317,
        "matches": [_MATCH],
        "next_cursor": "AbCdEfGhIjWyJkZWZhdWx0Iiw3LCI5Zj…",
        "timings": {
            "decode": 2.1,
            "embed": 24.8,
            "search": 0.9,
            "rescore": 0.4,
            "explain": 0.7,
            "total": 29.6,
        },
    },
    "why_not": {
        "query": {"uri": "tulip.jpg", "checksum": _CHECKSUM},
        "wanted": {
            "image_id": 1311,
            "uri": "/pictures/flowers/tulip/9976515506_d496c5e72c.jpg",
            "label": "tulip",
        },
        "gallery": "default",
        "build": 7,
        "encoder": _ENCODER,
        "scorer": "distance",
        "outcome": "too-far",
        "reason": "Others are nearer: by exact distance it is number 27, and 10 matches of 20 candidates "
        "were asked for; ask for more.",
        "filters": {"passed": True, "failed": []},
        "index": {
            "exact_rank": 27,
            "counted": 10000,
            "candidates": 20,
            "proposed": False,
            "farthest_proposed": 0.512,
        },
        "rescoring": {
            "distance": 0.53,
            "similarity": 0.47,
            "score": 0.53,
            "probability": 0.94,
            "verdict": "same",
            "rank": None,
            "k": 10,
            "last_score": 0.47,
            "threshold": _THRESHOLD,
        },
    },
    "compare": {
        **_MATCH,
        "image_id": None,
        "uri": "another-tulip.jpg",
        "label": None,
        "index_distance": None,
        "query": {"uri": "tulip.jpg", "checksum": _CHECKSUM},
        "matched": {"uri": "another-tulip.jpg", "checksum": _OTHER_CHECKSUM},
        "gallery": "default",
        "build": 7,
        **_JUDGED_BY,
        "timings": {"decode": 4.0, "embed": 49.5, "explain": 0.2, "total": 54.1},
    },
    "list_galleries": {"galleries": [{**_GALLERY, "published_at": "2026-11-22T09:30:00Z"}]},
    "get_map": {
        "gallery": "flowers",
        "build": 3,
        "images": 2,
        "explained": (0.31, 0.17),
        "labels": ["rose", "tulip"],
        "points": {"image_id": [7, 9], "x": [-1.0, 1.0], "y": [0.0, 0.0], "cluster": [0, 0], "label": [0, 1]},
        "clusters": [{"images": 2, "labels": {"rose": 1, "tulip": 1}, "exemplar": 7, "nearest": [7, 9]}],
    },
    "get_gallery": {
        **_GALLERY,
        "labels": {"daisy": 764, "tulip": 984},
        "attributes": [
            {
                "name": "year",
                "images": 1748,
                "numbers": 1748,
                "least": 2019.0,
                "greatest": 2021.0,
                "values": {"2020": 900, "2021": 500, "2019": 348},
            }
        ],
        "scorers": ["distance", "pair-head"],
        "fit": "crop",
        "class_head": True,
        "threshold": _THRESHOLD,
        "calibration": _SHOWN,
        "watch": {
            "searches": 212,
            "recall": 0.9934,
            "low": 0.9895,
            "high": 0.9973,
            "expected": 0.9942,
            "shift": 0.08,
            "warnings": [],
        },
    },
    "get_image": {
        "image_id": 1204,
        "gallery": "default",
        "build": 7,
        "uri": _MATCH["uri"],
        "label": "tulip",
        "checksum": _OTHER_CHECKSUM,
        "width": 320,
        "height": 240,
        "original": "unchanged",
    },
    "get_session": _SESSION,
    "open_session": _SESSION,
    **MANAGING,
    "livez": {"status": "live", "reasons": []},
    "readyz": {"status": "ready", "reasons": []},
}
_JUDGEMENT: dict[str, Any] = {
    "judgement_id": 12,
    "query": _CHECKSUM,
    "matched": _OTHER_CHECKSUM,
    "says": "wrong",
    "author": "curator",
    "made_at": "2026-11-26T18:30:00Z",
    "revoked_at": None,
}
EXAMPLES["judge"] = _JUDGEMENT
EXAMPLES["revoke_judgement"] = {**_JUDGEMENT, "revoked_at": "2026-11-26T18:40:00Z"}
EXAMPLES["list_judgements"] = {"judgements": [_JUDGEMENT], "next_after": None}
EXAMPLES["search_batch"] = {
    "answers": [
        {"search": EXAMPLES["search"]},
        {
            "problem": {
                "type": "urn:whyalike:problem:image-not-found",
                "title": "No such image",
                "status": 404,
                "detail": "Build 7 of the gallery 'default' has no image 4711.",
            }
        },
    ],
    "milliseconds": 31.2,
}
