"""Nobody comes past without what the route needs: a key, its scope, and not too often."""

from __future__ import annotations

from contextlib import suppress

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Asgi

from gallery.access.key import Scope
from search_api.edge.addresses import counted_address
from search_api.edge.door import Shown
from search_api.edge.rates import Rates
from search_api.edge.recognition import Recognition
from search_api.errors import KeyRequired, ScopeMissing, TooManyRequests
from search_api.problems.faces import FACES
from search_api.problems.refusals import refusal
from search_api.visits import Visit, visit_of


class Guard:
    """ASGI middleware that refuses who has no key for where a request goes, before its body is read."""

    def __init__(self, app: ASGIApp, *, recognition: Recognition, rates: Rates) -> None:
        self._app = app
        self._recognition = recognition
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
        shown = Shown.by(
            headers.get("authorization"), headers.get("cookie"), scheme=request.get("scheme", "http")
        )
        if wanted is None:
            await self._admit_anybody(request, visit, shown)
            return
        visit.key = await self._recognition.key_of(shown, counted_address(request))
        self._require(visit, wanted)

    async def _admit_anybody(self, request: Asgi, visit: Visit, shown: Shown) -> None:
        """A wrong key is as good as none here, but it is counted: else this would be where to guess."""
        if not visit.destination.is_probe:
            self._rates.count_open(counted_address(request))
        if visit.destination.looks_at_keys:
            with suppress(KeyRequired, TooManyRequests):
                visit.key = await self._recognition.key_of(shown, counted_address(request))

    def _require(self, visit: Visit, wanted: Scope) -> None:
        assert visit.key is not None  # else it was refused
        if not visit.key.allows(wanted):
            raise ScopeMissing(wanted, visit.key.scope)
        self._rates.count_request(visit.key)
        if visit.destination.lane == "search":
            self._rates.count_search(visit.key)
