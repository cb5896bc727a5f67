"""Several searches at once, each answered as if it were alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import copy_context

from search_api.asked_search import AskedSearch
from search_api.schemas.search import SearchResponse
from siamese.threads import in_threads


def answered_each(
    ask: Callable[[AskedSearch], SearchResponse], searches: Sequence[AskedSearch], *, threads: int
) -> list[SearchResponse | Exception]:
    """The answer to each, in their order, or what was raised instead."""
    contexts = [copy_context() for _ in searches]  # of whoever asks: a thread has none of its own

    def answer(number: int) -> SearchResponse | Exception:
        try:
            return contexts[number].run(ask, searches[number])
        except Exception as error:  # noqa: BLE001 - told in its place: it must not spoil the other answers
            return error

    return list(in_threads(answer, range(len(searches)), ahead=threads, threads=threads))
