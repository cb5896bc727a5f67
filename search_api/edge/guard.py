"""Nobody comes past without what the route needs: a key, its scope, and not too often."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Asgi

from gallery.access.key import Key, Scope
from search_api.edge.door import Door, Shown
from search_api.edge.rates import Rates
from search_api.errors import KeyRequired, ScopeMissing
from search_api.problems.faces import FACES
from search_api.problems.refusals import refusal
from search_api.visits import Visit, visit_of

NOBODY = "unknown"
"""The address of who came by no network, as through a socket of the machine."""


class Guard:
    """ASGI middleware that refuses who has no key for where a request goes, before its body is read."""

    def __init__(self, app: ASGIApp, *, door: Door, rates: Rates) -> None:
        self._app = app
        self._door = door
        self._rates = rates

    async def __call__(self, request: Asgi, receive: Receive, send: Send) -> None:
        """Passes the request on, its key noted in its visit."""
        if request["type"] == "http":
            visit = visit_of(request)
            try:
                await self._admit(request, visit)
            except tuple(FACES) as error:  # those of the records too: no handler of the routes sees them
                await refusal(error)(request, receive, send)
                return
        await self._app(request, receive, send)

    async def _admit(self, request: Asgi, visit: Visit) -> None:
        """Raises KeyRequired, ScopeMissing, TooManyRequests."""
        headers, wanted = Headers(scope=request), visit.destination.scope
        shown = Shown.by(headers.get("authorization"), headers.get("cookie"))
        address = address_of(request)
        if wanted is not None:
            self._rates.require_few_failures(address)
        if wanted is not None or not (shown.is_nothing or visit.destination.asks_nothing):
            visit.key = await self._door.who(shown)
        if wanted is not None:
            self._require(visit.key, wanted, shown, address)
            assert visit.key is not None  # else it was refused
            self._rates.count(visit.key, is_search=visit.destination.lane == "search")

    def _require(self, key: Key | None, wanted: Scope, shown: Shown, address: str) -> None:
        if key is None:
            self._rates.count_failure(address)
            raise KeyRequired(is_wrong=not shown.is_nothing)
        if not key.allows(wanted):
            raise ScopeMissing(wanted, key.scope)


def address_of(request: Asgi) -> str:
    """Where the request comes from."""
    client = request.get("client")
    return str(client[0]) if client else NOBODY
