"""What of a build its main index covers, and whether that is enough."""

from collections.abc import Sequence

from gallery.index.kinds import FLAT_NUMBERS
from gallery.manifest import IndexClaims, MainIndexClaims, SegmentClaims

LEAST_PRESENT = 0.5
"""Share of a main index's entries that must be of segments which are still there: the others cost time."""

MOST_UNCOVERED = 0.05
"""Share of the entries that may be searched exactly beside the main index once they are many: at ten millions
they take 25 ms, and the index is built again no more than some 14 times for each tenfold."""


def claims_with(main: MainIndexClaims | None, segments: Sequence[SegmentClaims]) -> IndexClaims:
    """The claims of a build of these segments that takes over a main index, if it is still worth it."""
    entries = sum(segment.rows for segment in segments)
    if main is None or present_rows(main, segments) < LEAST_PRESENT * main.entries:
        return IndexClaims(entries=entries)
    return IndexClaims(kind=main.kind, entries=entries, main=main)


def present_rows(main: MainIndexClaims, segments: Sequence[SegmentClaims]) -> int:
    """How many of the main index's entries are of these segments."""
    named = {segment.id for segment in segments}
    return sum(each.rows for each in main.segments if each.id in named)


def uncovered(index: IndexClaims, segments: Sequence[SegmentClaims]) -> int:
    """How many entries are searched exactly beside the main index, or without one."""
    return index.entries - (0 if index.main is None else present_rows(index.main, segments))


def leaves_too_many(index: IndexClaims, segments: Sequence[SegmentClaims], *, dimension: int) -> bool:
    """Whether so many entries are not in the main index that searches are slow."""
    return uncovered(index, segments) > max(FLAT_NUMBERS // dimension, MOST_UNCOVERED * index.entries)
