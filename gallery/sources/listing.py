"""Sources that name files wherever they lie, as a run asks them: in the order of uris."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property

from gallery.settings import FetchingSettings
from gallery.source import NamedSource, UnlistedFolder
from gallery.sources.found import ListedFile
from gallery.sources.kinds import read_source
from gallery.sources.opening import WebFile, fetcher
from gallery.sources.spool import Spool


class Listing:
    """A table, list, shard, storage or file of the web, read once for a run (a Source).

    With `is_gone` it is not there any more, and is meant to name nothing.
    """

    is_listing = True

    def __init__(self, named: NamedSource, fetching: FetchingSettings, *, is_gone: bool = False) -> None:
        self.uri = named.uri
        self.kind = named.kind
        self._named = named
        self._fetching = fetching
        self._is_gone = is_gone

    def __len__(self) -> int:
        """How many files it names; raises what reading it raises."""
        return len(self._spool)

    def files(self, *, leave_out: Callable[[UnlistedFolder], None]) -> Iterator[ListedFile]:
        """What it names; raises SourceUnavailable, InvalidSource, and FetchRefused."""
        for file in self._spool:
            yield replace(file, fetching=self._fetching) if isinstance(file.at, WebFile) else file

    @cached_property
    def _spool(self) -> Spool:
        files = () if self._is_gone else read_source(self._named, fetcher(self._fetching))
        return Spool(files, source=self.uri)
