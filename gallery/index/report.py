"""What is told of a gallery's main index."""

from dataclasses import dataclass

from gallery.index.building import Attempt
from gallery.index.recall import Recall


@dataclass(frozen=True, slots=True)
class IndexReport:
    """How the published build is searched: `built` says whether its index was built by this run.

    Of the kind flat there is no index, and `recall` is None because search is exact. `bytes` are those of the
    index's files, `attempts` the kinds that were built and not kept.
    """

    build: int
    built: bool
    kind: str
    factory: str
    entries: int
    recall: Recall | None
    bytes: int
    attempts: tuple[Attempt, ...]
