"""What a service does now and then by itself: remove what is over, let go of replaced builds."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

UPKEEP_S = 30.0
"""Seconds between two rounds: so much longer a kept query that is over may lie on the disk, though it is
never read, and a build that was replaced may be open, though nobody is answered from it."""

log = logging.getLogger(__name__)


class Upkeep:
    """Does all of its works in turn, now and then, in a thread of its own; what one raises ends no other."""

    def __init__(self, works: Mapping[str, Callable[[], object]]) -> None:
        """The works by what the log calls them."""
        self._works = works
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)

    def start(self) -> None:
        """Begins at once."""
        self._thread.start()

    def stop(self) -> None:
        """Ends, after what it is at."""
        self._ended.set()
        self._thread.join()

    def round(self) -> None:
        """Does each of them once."""
        for name, work in self._works.items():
            try:
                work()
            except Exception:
                log.exception("Upkeep: %s failed", name)

    def _run(self) -> None:
        while not self._ended.is_set():
            self.round()
            self._ended.wait(UPKEEP_S)
