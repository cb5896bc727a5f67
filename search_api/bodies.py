"""No request may hold more bytes than its limit: counted as they arrive, before anything reads them."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from search_api.errors import UploadTooLarge
from search_api.problems import problem_of, problem_response


class BodyLimit:
    """ASGI middleware that refuses a body beyond the limit of its path, whatever its header claims."""

    def __init__(self, app: ASGIApp, *, limits: Mapping[str, int], otherwise: int) -> None:
        """`limits` are bytes by path; `otherwise` is the limit of every other path."""
        self._app = app
        self._limits = limits
        self._otherwise = otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, its body counted."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limits.get(scope["path"], self._otherwise)
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdecimal() and int(declared) > limit:
            await problem_response(problem_of(UploadTooLarge(limit)))(scope, receive, send)
            return
        await self._app(scope, _counted(receive, limit), send)


def _counted(receive: Receive, limit: int) -> Receive:
    arrived = 0

    async def counting() -> Message:
        nonlocal arrived
        message = await receive()
        arrived += len(message.get("body", b""))
        if arrived > limit:  # as an HTTPException: the only error that FastAPI's body parser lets through
            status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            raise HTTPException(status) from UploadTooLarge(limit)
        return message

    return counting
