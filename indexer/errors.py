"""Everything that the indexer refuses, each in one sentence that names the value and what would be right.

    IndexerError
    ├── EncoderRefused     another encoder than the one that the gallery's images were embedded by
    └── NothingToIndex     no file below the roots of a new gallery could be read as an image

A file that cannot be read is no error of a run: the report names it with its reason.
"""

from collections.abc import Iterable, Sequence

from gallery.surveys.seen import Unreadable
from gallery.web.urls import shown


class IndexerError(Exception):
    """What the indexer refuses; the message is one sentence for people."""


class EncoderRefused(IndexerError):  # noqa: N818 - named after what it says, like its neighbours
    """Another encoder than the one that the gallery's images were embedded by."""


class NothingToIndex(IndexerError):  # noqa: N818
    """No file in the sources of a new gallery is an image; says why the first is none."""

    def __init__(self, sources: Sequence[str], unreadable: Iterable[Unreadable]) -> None:
        first = min(unreadable, key=lambda each: each.uri, default=None)
        why = "there is no file at all" if first is None else f"{shown(first.uri)}, for one: {first.reason}"
        super().__init__(f"There is no image below {', '.join(map(shown, sources))} ({why}).")
