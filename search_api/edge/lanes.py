"""A lane: so many requests are worked on at once, so many wait in a line, and the next is refused."""

from __future__ import annotations

import asyncio
from asyncio import FIRST_COMPLETED
from collections.abc import Callable
from typing import Literal

from search_api.errors import Overloaded


class Lane:
    """Gives places to requests in the order in which they are ready for one; belongs to one event loop."""

    def __init__(
        self, *, places: int, waiting: int, patience_s: float, tell: Callable[[int, int], None]
    ) -> None:
        """At most `places` are held and `waiting` requests are there besides; each waits `patience_s`.

        `tell` hears how many places are held and how many requests wait, whenever that changes.
        """
        self.held = 0
        self.present = 0
        self._tell = tell
        self._most = places + waiting
        self._places = asyncio.Semaphore(places)
        self._patience_s = patience_s

    @property
    def waiting(self) -> int:
        """How many are there without a place: their bodies are arriving, or they wait for one."""
        return self.present - self.held

    def arrive(self) -> None:
        """One more request is there; raises Overloaded where that is one too many."""
        if self.present >= self._most:
            raise Overloaded
        self.present += 1
        self._tell(self.held, self.waiting)

    def depart(self) -> None:
        """It is there no more."""
        self.present -= 1
        self._tell(self.held, self.waiting)

    async def take(self, gone: asyncio.Event) -> bool:
        """Waits for a place; False where whoever asked went away before. Raises Overloaded."""
        if not self._places.locked():
            await self._places.acquire()  # at once
        elif not await self._wait(gone):
            return False
        self.held += 1
        self._tell(self.held, self.waiting)
        return True

    def give_back(self) -> None:
        """Frees the place, for the first in the line."""
        self.held -= 1
        self._places.release()

    async def _wait(self, gone: asyncio.Event) -> bool:
        place = asyncio.ensure_future(self._places.acquire())
        leaving = asyncio.ensure_future(gone.wait())
        try:
            await asyncio.wait((place, leaving), timeout=self._patience_s, return_when=FIRST_COMPLETED)
            if place.done() and not gone.is_set():
                return True
        except asyncio.CancelledError:
            self._renounce(place)
            raise
        finally:
            leaving.cancel()
        self._renounce(place)
        if gone.is_set():
            return False
        raise Overloaded

    def _renounce(self, place: asyncio.Task[Literal[True]]) -> None:
        """Leaves the line, or hands on what it got in the last moment."""
        if not place.cancel():
            self._places.release()
