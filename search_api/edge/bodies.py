"""No request may hold more bytes than its limit: counted as they arrive, before anything reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from time import monotonic
from typing import NoReturn

from anyio import fail_after
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from search_api.errors import SearchError, SlowBody, UploadTooLarge
from search_api.problems.faces import face_of
from search_api.problems.refusals import refusal

LEAST_PER_SECOND = 2**18
"""Bytes a second at which what lasts longer than its seconds must have arrived: 2 Mbit/s."""


class BodyLimit:
    """ASGI middleware that refuses a body beyond the limit of its path, whatever its header claims, and one
    that does not arrive in time.
    """

    def __init__(self, app: ASGIApp, *, limits: Mapping[str, int], otherwise: int, seconds: float) -> None:
        """`limits` are bytes by path, * being any one part of it; `otherwise` is that of every other path."""
        self._app = app
        self._limits = [
            (re.compile(re.escape(path).replace(r"\*", "[^/]+")), limits[path]) for path in limits
        ]
        self._otherwise = otherwise
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, its body counted."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        limit = next((most for each, most in self._limits if each.fullmatch(path)), self._otherwise)
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdecimal() and int(declared) > limit:
            await refusal(UploadTooLarge(limit))(scope, receive, send)
            return
        await self._app(scope, _Arriving(receive, limit=limit, seconds=self._seconds).receive, send)


class _Arriving:
    """A body on its way: counted, and timed; a large one may take longer while it flows."""

    def __init__(self, receive: Receive, *, limit: int, seconds: float) -> None:
        self._receive = receive
        self._limit = limit
        self._seconds = seconds
        self._began = monotonic()
        self._arrived = 0
        self._is_complete = False

    async def receive(self) -> Message:
        """The next part; raises an HTTPException, the only error that FastAPI's body parser lets through."""
        message = await (self._receive() if self._is_complete else self._in_time())
        self._arrived += len(message.get("body", b""))
        if self._arrived > self._limit:
            _let_through(UploadTooLarge(self._limit))
        self._is_complete = not message.get("more_body", False)
        return message

    async def _in_time(self) -> Message:
        try:
            allowed = max(self._seconds, self._arrived / LEAST_PER_SECOND)
            with fail_after(max(0.0, self._began + allowed - monotonic())):
                return await self._receive()
        except TimeoutError:
            _let_through(SlowBody(self._seconds))


def _let_through(error: SearchError) -> NoReturn:
    raise HTTPException(face_of(error).status) from error
