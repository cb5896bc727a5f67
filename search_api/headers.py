"""What a browser may do with an answer: nothing but what it needs."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

DOCS_PATH = "/docs"
NOTHING = "default-src 'none'; frame-ancestors 'none'"
THE_PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SWAGGER_UI = "https://cdn.jsdelivr.net/npm/swagger-ui-dist@5.35.0/"
"""What shows the API comes from a public server; docs.html says what its files must be, bit by bit."""
THE_DOCS = (
    f"default-src 'none'; script-src 'self' {SWAGGER_UI}; connect-src 'self'; img-src 'self' data:; "
    f"style-src 'unsafe-inline' {SWAGGER_UI}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
NOT_KEPT = "no-store"
ASK_FIRST = "no-cache"
FILES_OF_THE_PAGE = "/page/"
"""What a browser may keep, but for the answers that say so themselves: nothing, but the page's own files."""
POLICIES = {"/": THE_PAGE, "/sign-in": THE_PAGE, DOCS_PATH: THE_DOCS}


class SecurityHeaders:
    """ASGI middleware that puts the content security policy and its companions on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, the answer's headers completed."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def completed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = POLICIES.get(scope["path"], NOTHING)
                headers.update(ALWAYS)
                is_file = scope["path"].startswith(FILES_OF_THE_PAGE)
                headers.setdefault("Cache-Control", ASK_FIRST if is_file else NOT_KEPT)
            await send(message)

        await self._app(scope, receive, completed)
