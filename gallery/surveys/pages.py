"""What could not be read, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import takewhile

from sqlalchemy import Connection

from gallery.surveys.seen import Unreadable, count_unreadable, unreadable_files

LONGEST = 2000
"""Characters of a mark: written into an address, twelve for each at the most, every server takes it."""
DIGEST = 64
"""Characters of a SHA-256."""


@dataclass(frozen=True, slots=True)
class UnreadablePage:
    """Files by uri, how many there are on all pages, and the mark after which the next one begins, if any."""

    files: Sequence[Unreadable]
    total: int
    next_after: str | None

    def __post_init__(self) -> None:
        assert self.total >= len(self.files)
        assert self.next_after is None or len(self.next_after) <= LONGEST


def unreadable_page(
    connection: Connection, gallery_id: int, *, after: str | None = None, limit: int
) -> UnreadablePage:
    """At most `limit` files whose uris come after the one that the mark, or the uri itself, stands for."""
    uri = None if after is None else _uri_at(connection, gallery_id, after)
    found = list(unreadable_files(connection, gallery_id, after=uri, limit=limit + 1))
    following = mark_of(found[limit - 1].uri) if len(found) > limit else None
    return UnreadablePage(found[:limit], count_unreadable(connection, gallery_id), following)


def mark_of(uri: str) -> str:
    """The uri; where it has LONGEST characters or more, as many of them as leave room for its digest."""
    if len(uri) < LONGEST:
        return uri
    return uri[: LONGEST - DIGEST] + sha256(uri.encode()).hexdigest()


def _uri_at(connection: Connection, gallery_id: int, mark: str) -> str:
    """What the mark stands for; where that is gone, what all that begin like it come after."""
    if len(mark) < LONGEST:
        return mark
    beginning = mark[:-DIGEST]
    following = unreadable_files(connection, gallery_id, after=beginning)
    alike = takewhile(lambda each: each.uri.startswith(beginning), following)
    return next((each.uri for each in alike if mark_of(each.uri) == mark), beginning)
