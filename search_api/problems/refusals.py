"""Every refusal as application/problem+json (RFC 9457); what went wrong inside is logged and not told."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from gallery.access.key import without_keys
from search_api.errors import RETRY_AFTER_S, SearchError
from search_api.headers import ALWAYS, NOT_KEPT, NOTHING
from search_api.problems.face import PROBLEM_PREFIX
from search_api.problems.faces import FACES, INTERNAL_FAULT, INVALID_REQUEST, face_of
from search_api.schemas.service import FieldFault, Problem
from search_api.visits import REQUEST_ID, note_refusal, request_id

PROBLEM_JSON = "application/problem+json"
NOT_TOLD = "The service could not answer; its log says why."
NO_TYPE = "about:blank"
"""RFC 9457, section 4.2.1: the problem is what the status code says."""
MOST_DETAIL = 2000
"""Characters of a detail: a refusal names what was sent, and does not give all of it back."""
MOST_FAULTS = 20
"""Faults of one request that are told; who mends them will be told the rest."""

log = logging.getLogger(__name__)


def problem_response(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """The problem as a response; one of the moment says when to ask again."""
    note_refusal(problem.type.removeprefix(PROBLEM_PREFIX))
    told = problem.model_copy(update={"request_id": request_id(), "detail": _clipped(problem.detail)})
    content = without_keys(told.model_dump_json(exclude_none=True))
    response = Response(content, problem.status, headers, media_type=PROBLEM_JSON)
    if problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers.setdefault("Retry-After", str(RETRY_AFTER_S))
    return response


def refusal(error: Exception) -> Response:
    """One of our errors as a response."""
    headers = error.headers if isinstance(error, SearchError) else None
    return problem_response(problem_of(error), headers)


def problem_of(error: Exception) -> Problem:
    """The problem that the table makes of one of our errors."""
    face = face_of(error)
    if not face.tells:
        log.error("%s", face.title, exc_info=error)
    detail = str(error) if face.tells else NOT_TOLD
    return Problem(type=face.type, title=face.title, status=face.status, detail=detail)


def install(app: FastAPI) -> None:
    """Answers every error of the app with a problem."""
    for kind in FACES:
        app.add_exception_handler(kind, _our_refusal)
    app.add_exception_handler(HTTPException, _http_refusal)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(Exception, _internal_fault)


def _our_refusal(_: Request, error: Exception) -> Response:
    return refusal(error)


def _http_refusal(_: Request, error: Exception) -> Response:
    found = cast(HTTPException, error)
    if isinstance(error.__cause__, tuple(FACES)):
        return refusal(cast(Exception, error.__cause__))
    title = HTTPStatus(found.status_code).phrase
    problem = Problem(type=NO_TYPE, title=title, status=found.status_code, detail=str(found.detail))
    return problem_response(problem, found.headers)


def _invalid_request(_: Request, error: Exception) -> Response:
    faults = [
        FieldFault(
            location=_clipped("/".join(str(part) for part in fault["loc"])), reason=_clipped(fault["msg"])
        )
        for fault in cast(RequestValidationError, error).errors()[:MOST_FAULTS]
    ]
    face = INVALID_REQUEST
    detail = "; ".join(f"{fault.location}: {fault.reason}" for fault in faults)
    return problem_response(
        Problem(type=face.type, title=face.title, status=face.status, detail=detail, errors=faults)
    )


def _clipped(text: str) -> str:
    return text if len(text) <= MOST_DETAIL else text[: MOST_DETAIL - 1] + "…"


def _internal_fault(_: Request, error: Exception) -> Response:
    """The server logs the error itself, and no middleware of ours sees this answer."""
    face = INTERNAL_FAULT
    problem = Problem(type=face.type, title=face.title, status=face.status, detail=NOT_TOLD)
    told = {"Content-Security-Policy": NOTHING, "Cache-Control": NOT_KEPT, REQUEST_ID: request_id() or ""}
    headers = {**told, **ALWAYS}
    return problem_response(problem, headers)
