"""What a browser may keep: for good where its address names the published build, else if it asks first."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

FOREVER = "private, max-age=31536000, immutable"
ASK_FIRST = "private, no-cache"
TAG_LENGTH = 32


def tag_of(*parts: object) -> str:
    """An ETag that changes when one of the parts does."""
    text = "\x1f".join(str(part) for part in parts)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:TAG_LENGTH]}"'


def conditional(
    request: Request, tag: str, make: Callable[[], Response], *, named_build: int | None, build: int
) -> Response:
    """What `make` gives, unless the browser has it already.

    `named_build` is the one that the address names: what is shown of a published build never changes.
    """
    known = {each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")}
    response = Response(status_code=HTTPStatus.NOT_MODIFIED) if {tag, "*"} & known else make()
    response.headers["ETag"] = tag
    response.headers["Cache-Control"] = FOREVER if named_build == build else ASK_FIRST
    return response
