"""A share of the searches that are answered, asked again by exact search beside the answers."""

from __future__ import annotations

import logging
import random
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from gallery.builds.build import Build
from gallery.builds.probing import Drift, Probe, drift, probe
from search_api.loaded.builds import OpenBuilds
from search_api.scoring import Floats

log = logging.getLogger(__name__)

REMEMBERED = 500
"""Probes of one build that are judged together: the newest."""

Of = tuple[str, int]
"""A gallery and the number of its build."""


class Watch:
    """Probes one search at a time in a thread of its own; while it does, others go unwatched.

    `share` in [0, 1] of the searches are drawn; what drifts is logged once for each build.
    """

    def __init__(
        self, builds: OpenBuilds, *, share: float, draw: Callable[[], float] = random.random
    ) -> None:
        self._builds = builds
        self._share = share
        self._draw = draw
        self._probes: defaultdict[Of, deque[Probe]] = defaultdict(lambda: deque(maxlen=REMEMBERED))
        self._told: set[tuple[Of, int]] = set()
        self._free = threading.Semaphore()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="watch")

    def saw(self, build: Build, embedding: Floats) -> Future[None] | None:
        """Probe this search later, if it is drawn and nothing else is being probed."""
        if self._draw() >= self._share or not self._free.acquire(blocking=False):
            return None
        return self._thread.submit(self._probe, build.gallery, build.number, embedding)

    def drift(self, build: Build) -> Drift | None:
        """What the probes of this build say; None before the first."""
        return drift(build, list(self._probes.get((build.gallery, build.number), ())))

    def close(self) -> None:
        """Waits for the probe that is being made."""
        self._thread.shutdown(cancel_futures=True)

    def _probe(self, gallery: str, number: int, embedding: Floats) -> None:
        try:
            with self._builds.lend(gallery) as (build, _):
                made = probe(build, embedding) if build.number == number else None
                if made is not None:
                    self._forget_before(gallery, number)
                    self._probes[gallery, number].append(made)
                    self._tell(build)
        except Exception:
            log.exception("A search of %r could not be compared with exact search", gallery)
        finally:
            self._free.release()

    def _forget_before(self, gallery: str, number: int) -> None:
        """Of older builds nobody asks any more."""
        for old in [of for of in self._probes if of[0] == gallery and of[1] < number]:
            del self._probes[old]
        self._told = {(of, place) for of, place in self._told if of in self._probes}

    def _tell(self, build: Build) -> None:
        found = self.drift(build)
        for place, warning in enumerate(found.warnings if found else ()):
            known = ((build.gallery, build.number), place)
            if known not in self._told:
                self._told.add(known)
                log.warning("Gallery %s, build %s: %s", build.gallery, build.number, warning)
