"""How often one may ask: each key by itself, and each address for wrong keys and for what needs no key.

Counted in a moving window of a minute, in this process: each replica counts for itself.
"""

from __future__ import annotations

import math

from gallery.access.key import Key
from search_api.edge.windows import MovingWindow
from search_api.errors import TooManyRequests
from search_api.settings import ServiceSettings


class Rates:
    """Counts, and refuses what comes too often. A limit of 0 is none."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._requests = _Rate("requests", settings.requests_per_minute)
        self._searches = _Rate("searches", settings.searches_per_minute)
        self._failures = _Rate("wrong keys", settings.failures_per_minute)
        self._open = _Rate("requests without a key", settings.open_requests_per_minute)

    def count_request(self, key: Key) -> None:
        """One more request by this key; raises TooManyRequests."""
        self._requests.count(key.public_id)

    def count_search(self, key: Key) -> None:
        """One more search by this key; raises TooManyRequests."""
        self._searches.count(key.public_id)

    def count_batch(self, key: Key, searches: int) -> None:
        """The searches of a batch but the first, which was counted when the batch was sent, or the pictures
        that are asked with together; more than a minute's are let as if they were just these.
        Raises TooManyRequests.
        """
        self._searches.count(key.public_id, cost=min(searches, self._searches.per_minute) - 1)

    def count_open(self, address: str) -> None:
        """One more request from there for what needs no key; raises TooManyRequests."""
        self._open.count(address)

    def count_failure(self, address: str) -> None:
        """One more wrong key from there; raises TooManyRequests."""
        self._failures.count(address)


class _Rate:
    """So many of something in a minute."""

    def __init__(self, what: str, per_minute: int) -> None:
        self._what = what
        self.per_minute = per_minute
        self._window = MovingWindow(per_minute) if per_minute else None

    def count(self, whose: str, *, cost: int = 1) -> None:
        if self._window is None or cost < 1:
            return
        seconds = self._window.count(whose, cost=cost)
        if seconds > 0:
            raise TooManyRequests(self._what, self.per_minute, retry_after_s=max(1, math.ceil(seconds)))
