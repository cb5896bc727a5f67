"""How a run of the indexer is made, beside what is indexed and by which encoder."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from gallery.index.kinds import IndexWish
from gallery.local_storage import LocalStorage
from gallery.settings import FetchingSettings
from gallery.sources.allowed import AllowedSources
from indexer.settings import IndexingSettings
from siamese.images import ImageLimits
from siamese.progress import Progress, Silent


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexingOptions:
    """What `indexer.indexing.index` and `indexer.rehearsal.rehearse` are asked to do in which way.

    `local_embeddings` says how to keep them: by default as the gallery does, or as the settings say for a
    new one; another way than the gallery's embeds everything below all of its roots again.
    `allow_empty` takes a root that had images and has no file now, or is gone, for emptied on purpose.
    A file whose size and time are those that were seen last is not read again, unless `rehash` says so or,
    where it could not be read then, `retry_failed`.
    Where `allowed` is given, no source and no file of one is read from elsewhere, links followed.
    The main index is built after the `wish`; `tell` hears of its steps.
    """

    settings: IndexingSettings = field(default_factory=IndexingSettings)
    limits: ImageLimits = field(default_factory=ImageLimits)
    fetching: FetchingSettings = field(default_factory=FetchingSettings)
    progress: Progress = field(default_factory=Silent)
    local_embeddings: LocalStorage | None = None
    allow_empty: bool = False
    retry_failed: bool = False
    rehash: bool = False
    allowed: AllowedSources | None = None
    wish: IndexWish = field(default_factory=IndexWish)
    tell: Callable[[str], None] = lambda _: None
    clock: Callable[[], float] = time.monotonic
