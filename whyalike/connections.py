"""One connection of a client: how long it may take over what, and which is given up when there are too many.

uvicorn waits for ever for the first request of a connection and for the rest of a head that has begun, and
for ever until a client takes what it was sent; and where it bounds connections (`limit_concurrency`), idle
ones keep everybody else out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol


@dataclass(frozen=True, slots=True)
class ConnectionBounds:
    """How many connections there are at the same time, and how many seconds one may make no headway."""

    most: int
    seconds: float

    @property
    def protocol(self) -> type[asyncio.Protocol]:
        """What makes connections within these bounds, as uvicorn takes it."""

        def connected(**server: Any) -> Connection:
            return Connection(self, **server)

        return cast("type[asyncio.Protocol]", connected)


class Connection(H11Protocol):
    """Ends when no whole head of a request arrives in time, or nothing of an answer is taken.

    One too many ends that which has been idle longest; those with a request under way are left alone.
    """

    def __init__(self, bounds: ConnectionBounds, **server: Any) -> None:
        super().__init__(**server)
        self._bounds = bounds
        self._head = Deadline(self.loop, bounds.seconds, self.give_up)
        self._taking = Deadline(self.loop, bounds.seconds, self.give_up)
        self._idle_since = self.loop.time()

    @property
    def is_idle(self) -> bool:
        """Whether no request is under way on it."""
        return self.cycle is None or self.cycle.response_complete

    def give_up(self) -> None:
        """Ends it now; what is under way is told that the client is gone."""
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """It waits for its first request from now on."""
        super().connection_made(transport)
        self._head.begin()
        if len(self.connections) > self._bounds.most:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        """The head of a request has begun, or gone on, or is complete."""
        self._head.begin()
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._head.end()

    def on_response_complete(self) -> None:
        """It is idle again, and uvicorn ends it after its keep-alive."""
        self._idle_since = self.loop.time()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """The client has not taken what was sent."""
        super().pause_writing()
        self._taking.begin()

    def resume_writing(self) -> None:
        """It has taken some."""
        super().resume_writing()
        self._taking.end()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._head.end()
        self._taking.end()
        super().connection_lost(exc)

    def _make_room(self) -> None:
        there = [each for each in self.connections if isinstance(each, Connection)]
        remaining = [each for each in there if not each.transport.is_closing()]
        idle = [each for each in remaining if each.is_idle]
        if len(remaining) > self._bounds.most and idle:
            min(idle, key=lambda each: each._idle_since).give_up()


class Deadline:
    """Does something when what has begun does not end in time."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float, late: Callable[[], None]) -> None:
        self._loop = loop
        self._seconds = seconds
        self._late = late
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """The time runs from now on, unless it runs already."""
        if self._timer is None:
            self._timer = self._loop.call_later(self._seconds, self._late)

    def end(self) -> None:
        """It was in time."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
