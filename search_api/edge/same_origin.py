"""What a browser does on behalf of another page changes nothing here (CSRF)."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Asgi

from search_api.destinations import SAFE_METHODS
from search_api.errors import ForeignOrigin
from search_api.problems.refusals import refusal

OURS = frozenset({"same-origin", "none"})
"""What Sec-Fetch-Site says of a request by our own page, and of one by the person directly."""


class SameOrigin:
    """ASGI middleware that refuses what changes something where a browser says that another page sent it.

    Browsers say so in Origin and Sec-Fetch-Site, which no page can forge. What comes with a cookie must say
    it; programs send neither cookie nor Origin.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, request: Asgi, receive: Receive, send: Send) -> None:
        """Passes the request on, unless another page sent it."""
        if request["type"] == "http" and request["method"] not in SAFE_METHODS:
            headers = Headers(scope=request)
            if not is_ours(headers):
                await refusal(ForeignOrigin(headers.get("origin")))(request, receive, send)
                return
        await self._app(request, receive, send)


def is_ours(headers: Headers) -> bool:
    """Whether a request that changes something was sent by our own page, or by no page at all."""
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if origin is not None:
        return urlsplit(origin).netloc.lower() == headers.get("host", "").lower() != ""
    if site is not None:
        return site in OURS
    return "cookie" not in headers or "authorization" in headers
