"""Removals as people read them."""

from collections.abc import Sequence

from gallery.removals import Removal
from whyalike.console import out
from whyalike.tables import UNKNOWN, print_rows


def print_removals(removals: Sequence[Removal]) -> None:
    """One removal a line."""
    if not removals:
        out().print("nobody has removed an image")
        return
    print_rows(("image", "uri", "removed", "author"), map(_cells, removals))


def _cells(removal: Removal) -> tuple[str, ...]:
    at = f"{removal.said_at:%Y-%m-%d %H:%M}"
    return str(removal.image_id), removal.uri, at, removal.author or UNKNOWN
