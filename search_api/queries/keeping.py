"""Uploaded queries that are kept because it was asked for, until their time is over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from gallery.kept_queries import KeptQueries, KeptQuery
from gallery.sources.scanning import checksum
from search_api.errors import InvalidQuestion
from search_api.queries.subjects import Asked, Part, Several, Upload
from search_api.schemas.query import QuerySchema
from search_api.schemas.search import SearchResponse
from search_api.settings import SearchSettings


@dataclass(frozen=True, slots=True)
class Kept:
    """The id that a picture can be asked with, and until when."""

    query_id: str
    until: datetime


def require_keepable(seconds: float | None, query: Asked, settings: SearchSettings) -> None:
    """Raises InvalidQuestion for too long a time, and where nothing was sent that could be kept."""
    if seconds is None:
        return
    if not 1 <= seconds <= settings.keep_max_seconds:
        raise InvalidQuestion(
            f"A query is kept for 1 to {settings.keep_max_seconds:g} seconds, not for {seconds:g}."
        )
    if not list(_uploads(query)):
        raise InvalidQuestion("Nothing was sent that could be kept: leave out keep, or send a picture.")


def keep_uploads(query: Asked, kept: KeptQueries, *, seconds: float) -> dict[str, Kept]:
    """Keeps each of the pictures of the query that were sent, once, or none of them; by checksum.

    `query` is as it was asked: what was fetched, or is kept already, was not sent. Raises QueriesFull.
    """
    uploads = {checksum(each.data): KeptQuery(each.data, each.uri) for each in _uploads(query)}
    ids = kept.keep_each(list(uploads.values()), seconds=seconds)
    return {name: Kept(*each) for name, each in zip(uploads, ids, strict=True)}


def told_with(answer: SearchResponse, kept: dict[str, Kept]) -> SearchResponse:
    """The answer with the ids of what was kept."""
    queries = [_told(each, kept) for each in answer.queries or ()] or None
    return answer.model_copy(update={"query": _told(answer.query, kept), "queries": queries})


def _told(query: QuerySchema, kept: dict[str, Kept]) -> QuerySchema:
    found = kept.get(query.checksum)
    return (
        query.model_copy(update={"query_id": found.query_id, "kept_until": found.until}) if found else query
    )


def _uploads(query: Asked) -> Iterator[Upload]:
    if isinstance(query, Several):
        for each in query.queries:
            yield from _uploads(each.asked)
    elif isinstance(query, Part):
        yield from _uploads(query.of)
    elif isinstance(query, Upload):
        yield query
