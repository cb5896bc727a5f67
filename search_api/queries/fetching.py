"""Pictures of the web that are asked with: fetched by the gallery's rules, few at once, if allowed."""

from __future__ import annotations

import threading
from dataclasses import replace

from gallery.errors import FetchRefused
from gallery.kept_queries import KeptQueries
from gallery.settings import FetchingSettings
from gallery.web.fetching import Fetcher
from gallery.web.urls import shown
from search_api.errors import FetchesBusy
from search_api.queries.subjects import Asked, KeptUpload, Linked, Part, Several, Upload, Whole
from search_api.settings import SearchSettings
from search_api.stopwatch import Stopwatch

FETCHES = 4
"""At once: so many threads of the service can wait for slow servers, and no more."""
PATIENCE_S = 2.0
"""How long a question waits for its turn."""
LONGEST_S = 10.0
"""The longest time of one picture, whatever indexing allows: somebody waits for the answer."""


class QueryFetcher:
    """Fetches what queries link to; only where the setting `url_queries` allows it."""

    def __init__(self, settings: SearchSettings, fetching: FetchingSettings, kept: KeptQueries) -> None:
        update = {"allowed": True, "total_seconds": min(fetching.total_seconds, LONGEST_S)}
        self._fetcher = Fetcher(fetching.model_copy(update=update))
        self._kept = kept
        self._allowed = settings.url_queries
        self._max_bytes = settings.upload_max_bytes
        self._turns = threading.BoundedSemaphore(FETCHES)

    def given(self, asked: Asked, clock: Stopwatch) -> Asked:
        """The same with every picture in it at hand; raises FetchRefused, FetchesBusy, QueryNotFound."""
        if isinstance(asked, Several):
            return Several(tuple(replace(each, asked=self._one(each.asked, clock)) for each in asked.queries))
        return self._one(asked, clock)

    def close(self) -> None:
        """Closes the connections that are kept."""
        self._fetcher.close()

    def _one(self, asked: Whole | Part, clock: Stopwatch) -> Whole | Part:
        if isinstance(asked, Part):
            return replace(asked, of=self._whole(asked.of, clock))
        return self._whole(asked, clock)

    def _whole(self, asked: Whole, clock: Stopwatch) -> Whole:
        if isinstance(asked, KeptUpload):
            found = self._kept.find(asked.query_id)
            return Upload(found.data, found.name)
        if not isinstance(asked, Linked):
            return asked
        with clock.stage("fetch"):
            return self._upload(asked)

    def _upload(self, link: Linked) -> Upload:
        if not self._allowed:
            raise FetchRefused(
                "Queries by URL are not allowed here: set WHYALIKE_SEARCH__URL_QUERIES=true, or "
                "send the picture."
            )
        if not self._turns.acquire(timeout=PATIENCE_S):
            raise FetchesBusy(FETCHES)
        try:
            fetched = self._fetcher.fetch(link.url, max_bytes=self._max_bytes)
        finally:
            self._turns.release()
        assert fetched is not None  # no version was named that it could still be
        return Upload(fetched.data, shown(link.url))
