"""How often one may ask: each key by itself, and an address that shows no key, or a wrong one.

Counted by `limits` in a moving window of a minute, in this process: each replica counts for itself.
"""

from __future__ import annotations

import math
import time

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from gallery.access.key import Key
from search_api.errors import TooManyRequests
from search_api.settings import ServiceSettings


class Rates:
    """Counts, and raises TooManyRequests at what comes too often. A limit of 0 is none."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._window = MovingWindowRateLimiter(MemoryStorage())
        self._requests = _item(settings.requests_per_minute)
        self._searches = _item(settings.searches_per_minute)
        self._failures = _item(settings.failures_per_minute)

    def count(self, key: Key, *, is_search: bool) -> None:
        """One more request by this key."""
        self._hit(self._requests, "requests", key.public_id)
        if is_search:
            self._hit(self._searches, "searches", key.public_id)

    def count_failure(self, address: str) -> None:
        """One more request from this address that had no valid key."""
        if self._failures:
            self._window.hit(self._failures, "failures", address)

    def require_few_failures(self, address: str) -> None:
        """Refuse an address that has failed too often, before its next key is even looked at."""
        if self._failures and not self._window.test(self._failures, "failures", address):
            raise self._refused(self._failures, "failures", address)

    def _hit(self, item: RateLimitItem | None, what: str, whose: str) -> None:
        if item and not self._window.hit(item, what, whose):
            raise self._refused(item, what, whose)

    def _refused(self, item: RateLimitItem, what: str, whose: str) -> TooManyRequests:
        reset = self._window.get_window_stats(item, what, whose).reset_time
        return TooManyRequests(what, item.amount, retry_after_s=max(1, math.ceil(reset - time.time())))


def _item(per_minute: int) -> RateLimitItem | None:
    return RateLimitItemPerMinute(per_minute) if per_minute else None
