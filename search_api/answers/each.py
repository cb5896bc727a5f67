"""Several searches at once, each answered as if it were alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from search_api.asked_search import AskedSearch
from search_api.presence import of_each
from search_api.schemas.search import SearchResponse


def answered_each(
    ask: Callable[[AskedSearch], SearchResponse], searches: Sequence[AskedSearch], *, threads: int
) -> list[SearchResponse | Exception]:
    """The answer to each, in their order, or what was raised instead."""

    def answer(asked: AskedSearch) -> SearchResponse | Exception:
        try:
            return ask(asked)
        except Exception as error:  # noqa: BLE001 - told in its place: it must not spoil the other answers
            return error

    return of_each(answer, searches, threads=threads)
