"""No pile-up: what is worked on and what waits is bounded, and who goes away frees the place."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as Asgi

from search_api.destinations import LaneName
from search_api.edge.ending import Ending
from search_api.edge.lanes import Lane
from search_api.errors import Overloaded, SearchError, ShuttingDown
from search_api.metrics import Metrics
from search_api.presence import PRESENCE, Presence
from search_api.problems.faces import face_of
from search_api.problems.refusals import refusal
from search_api.settings import ServiceSettings
from search_api.visits import visit_of

OPEN_AT_ONCE = 8
OPEN_WAITING = 256
"""Requests that need no key: the page, its files and signing in, all of them short; a browser asks for six
files at once, and forty people may open the page in the same moment."""
GONE: Message = {"type": "http.disconnect"}


def lanes_of(settings: ServiceSettings, metrics: Metrics) -> dict[LaneName, Lane]:
    """One lane for what embeds pictures, one for the rest, so that a page full of thumbnails goes on, and one
    for what needs no key.
    """
    sizes: dict[LaneName, tuple[int, int]] = {
        "search": (settings.searches_at_once, settings.searches_waiting),
        "other": (settings.requests_at_once, settings.requests_waiting),
        "open": (OPEN_AT_ONCE, OPEN_WAITING),
    }
    return {
        name: Lane(
            places=places, waiting=waiting, patience_s=settings.waiting_seconds, tell=metrics.lane(name)
        )
        for name, (places, waiting) in sizes.items()
    }


class Admission:
    """ASGI middleware that gives a request a place in its lane as soon as its body is there, not before.

    So a slow sender keeps nobody from being answered.
    """

    def __init__(self, app: ASGIApp, *, lanes: Mapping[LaneName, Lane], ending: Ending) -> None:
        self._app = app
        self._lanes = lanes
        self._ending = ending

    async def __call__(self, request: Asgi, receive: Receive, send: Send) -> None:
        """Passes the request on when there is room for it."""
        name = visit_of(request).destination.lane if request["type"] == "http" else None
        if name is None:
            await self._app(request, receive, send)
            return
        lane = self._lanes[name]
        try:
            if self._ending.has_begun:
                raise ShuttingDown
            lane.arrive()
        except SearchError as error:
            await refusal(error)(request, receive, send)
            return
        stay = Stay(lane, receive)
        PRESENCE.set(stay.presence)
        try:
            await self._within(stay, request, send)
        finally:
            stay.end()

    async def _within(self, stay: Stay, request: Asgi, send: Send) -> None:
        if not announces_body(request):
            try:
                await stay.begin()
            except HTTPException:
                await refusal(Overloaded())(request, stay.receive, send)
                return
        await self._app(request, stay.receive, send)


class Stay:
    """One request in a lane, from its arrival until it is answered or its sender is gone."""

    def __init__(self, lane: Lane, receive: Receive) -> None:
        self._lane = lane
        self._receive = receive
        self._gone = asyncio.Event()
        self.presence = Presence()
        self._watching: asyncio.Task[None] | None = None
        self._has_place = False
        self._held_back: Message | None = None

    async def begin(self) -> None:
        """Takes a place before the route asks for a body, where there will be none.

        Raises HTTPException of Overloaded.
        """
        self._held_back = await self.receive()

    async def receive(self) -> Message:
        """The next message; the last part of the body is given out when there is a place."""
        if self._held_back is not None:
            message, self._held_back = self._held_back, None
            return message
        if self._watching is not None:
            await self._gone.wait()
            return GONE
        message = await self._receive()
        if message["type"] == "http.disconnect" or message.get("more_body", False):
            return message
        self._watching = asyncio.create_task(self._watch())
        return message if await self._take_place() else GONE

    def end(self) -> None:
        """The request is answered, or nobody waits for the answer."""
        if self._watching is not None:
            self._watching.cancel()
        if self._has_place:
            self._lane.give_back()
        self._lane.depart()

    async def _take_place(self) -> bool:
        try:
            self._has_place = await self._lane.take(self._gone)
        except (
            Overloaded
        ) as error:  # as an HTTPException: the only one that FastAPI's body parser lets through
            raise HTTPException(face_of(error).status) from error
        return self._has_place

    async def _watch(self) -> None:
        """Notices when whoever asked goes away."""
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.presence.end()
        self._gone.set()


def announces_body(request: Asgi) -> bool:
    """Whether a body comes with the request; else the route may never ask for one."""
    headers = dict(request["headers"])
    return b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0"
