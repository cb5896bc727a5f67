"""What a person asks of the indexer: to be done, or to be told what it would do."""

import csv
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gallery.galleries import Galleries
from gallery.index.kinds import IndexWish
from gallery.local_storage import LocalStorage
from gallery.settings import FetchingSettings
from gallery.surveys.seen import Unreadable
from indexer.encoders import EncoderChoice
from indexer.indexing import index
from indexer.rehearsal import RehearsalReport, rehearse
from indexer.report import IndexingReport
from indexer.settings import IndexingSettings
from indexer.sources import Named
from siamese.images import ImageLimits
from siamese.progress import Progress
from whyalike.errors import UsageError

COLUMNS = ("uri", "reason", "checksum")


@dataclass(frozen=True, slots=True)
class IndexingRequest:
    """The arguments of `indexer.indexing.index`, as the command line understood them."""

    galleries: Galleries
    name: str
    named: Sequence[Named]
    choice: EncoderChoice
    settings: IndexingSettings
    limits: ImageLimits
    fetching: FetchingSettings
    progress: Progress
    local_embeddings: LocalStorage | None
    allow_empty: bool
    wish: IndexWish | None
    tell: Callable[[str], None]
    retry_failed: bool
    rehash: bool

    def index(self) -> IndexingReport:
        """Do it."""
        return index(
            self.galleries,
            self.name,
            self.named,
            self.choice,
            settings=self.settings,
            limits=self.limits,
            fetching=self.fetching,
            progress=self.progress,
            local_embeddings=self.local_embeddings,
            allow_empty=self.allow_empty,
            wish=self.wish,
            tell=self.tell,
            retry_failed=self.retry_failed,
            rehash=self.rehash,
        )

    def rehearse(self) -> RehearsalReport:
        """Tell what it would do."""
        return rehearse(
            self.galleries,
            self.name,
            self.named,
            self.choice,
            settings=self.settings,
            limits=self.limits,
            fetching=self.fetching,
            progress=self.progress,
            local_embeddings=self.local_embeddings,
            allow_empty=self.allow_empty,
            retry_failed=self.retry_failed,
            rehash=self.rehash,
        )


def check_errors_file(path: Path) -> None:
    """Raise UsageError where that file could not be written after a run, which may take hours."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder: --errors wants a file")
    if not path.parent.is_dir():
        raise UsageError(f"{path} cannot be written: there is no folder {path.parent}")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UsageError(f"{path} cannot be written: permission denied")


def write_errors(path: Path, unreadable: Iterable[Unreadable]) -> None:
    """Write a table of the files that could not be read; raises UsageError where it cannot be written."""
    try:
        with path.open("w", encoding="utf-8", newline="") as stream:
            table = csv.writer(stream)
            table.writerow(COLUMNS)
            table.writerows((each.uri, each.reason, each.checksum) for each in unreadable)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from error
