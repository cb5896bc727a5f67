"""What is told of the images that people removed."""

from __future__ import annotations

from collections.abc import Sequence

from gallery.removals import Removal
from search_api.schemas.managing import RemovalList, RemovalSchema


def removal_list(removals: Sequence[Removal], *, next_after: int | None = None) -> RemovalList:
    """Some of them, and behind which ones the rest follows."""
    told = [
        RemovalSchema(
            image_id=each.image_id,
            uri=each.uri,
            checksum=each.checksum,
            author=each.author,
            removed_at=each.said_at,
        )
        for each in removals
    ]
    return RemovalList(removals=told, next_after=next_after)
