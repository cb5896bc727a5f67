"""Whether searches can be answered, looked at no more often than is useful: anybody may ask."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from anyio.to_thread import run_sync

from search_api.edge.windows import MovingWindow

LOOKS_PER_SECOND = 10
"""Many more than orchestrators make; who asks beyond it is told what was found last."""


class Readiness:
    """Takes one look at a time; who asks meanwhile is told what it finds. Belongs to one event loop."""

    def __init__(self, look: Callable[[], list[str]], *, clock: Callable[[], float] = time.monotonic) -> None:
        """`look` gives the reasons why searches cannot be answered."""
        self._look = look
        self._looks = MovingWindow(LOOKS_PER_SECOND, seconds=1.0, clock=clock)
        self._found: asyncio.Task[list[str]] | None = None

    async def reasons(self) -> list[str]:
        """A sentence each; none where searches can be answered."""
        if self._found is None or self._found.cancelled() or (self._found.done() and self._may_look()):
            self._found = asyncio.create_task(run_sync(self._look))
        return await asyncio.shield(self._found)

    def _may_look(self) -> bool:
        return self._looks.count("") == 0
