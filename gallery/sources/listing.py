"""Sources that name files wherever they lie, as a run asks them: in the order of uris."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property

from gallery.errors import FetchRefused
from gallery.settings import FetchingSettings
from gallery.sources.allowed import AllowedSources
from gallery.sources.allowed_files import AllowedFile, place_of
from gallery.sources.found import ListedFile
from gallery.sources.kinds import read_source
from gallery.sources.opening import WebFile, fetcher
from gallery.sources.source import NamedSource, SourceFile, UnlistedFolder
from gallery.sources.spool import Spool
from gallery.web.fetching import Announced, Fetcher, Follow, anywhere

ASKED_AT_ONCE = 16
"""Files of the web whose servers are asked for their version at the same time."""


class Listing:
    """A table, list, shard, storage or file of the web, read once for a run (a Source).

    With `is_gone` it is not there any more, and is meant to name nothing. Where `allowed` is given, all that
    it names must lie there, and so must whatever a redirect leads to.
    """

    is_listing = True

    def __init__(
        self,
        named: NamedSource,
        fetching: FetchingSettings,
        *,
        is_gone: bool = False,
        allowed: AllowedSources | None = None,
    ) -> None:
        self.uri = named.uri
        self.kind = named.kind
        self._named = named
        self._fetching = fetching
        self._is_gone = is_gone
        self._allowed = allowed
        self._follow: Follow = anywhere if allowed is None else allowed.__contains__

    def __len__(self) -> int:
        """How many files it names; raises what reading it raises."""
        return len(self._spool)

    def __contains__(self, uri: str) -> bool:
        """Whether it names the file at this uri."""
        return uri in self._spool

    def files(self, *, leave_out: Callable[[UnlistedFolder], None]) -> Iterator[SourceFile]:
        """What it names; raises SourceUnavailable, InvalidSource, FetchRefused and SourceNotAllowed."""
        with ThreadPoolExecutor(ASKED_AT_ONCE) as asking:
            waiting: deque[Future[SourceFile]] = deque()
            for file in self._spool:
                waiting.append(asking.submit(self._asked, file))
                if len(waiting) > ASKED_AT_ONCE:
                    yield waiting.popleft().result()
            yield from (each.result() for each in waiting)

    def _asked(self, file: ListedFile) -> SourceFile:
        asked = self._with_version(file)
        return asked if self._allowed is None else AllowedFile(asked, self._allowed)

    def _with_version(self, file: ListedFile) -> ListedFile:
        """The file with its version, which of one of the web its server is asked for."""
        if not isinstance(file.at, WebFile):
            return file
        try:
            announced = self._fetcher.announced(file.at.url)
        except FetchRefused:
            announced = Announced(None, None)  # whoever reads it reports why
        known = replace(file, version=announced.version, size=announced.size)
        return replace(known, fetching=self._fetching, follow=self._follow)

    @property
    def _fetcher(self) -> Fetcher:
        return fetcher(self._fetching).within(self._follow)

    @cached_property
    def _spool(self) -> Spool:
        files = () if self._is_gone else read_source(self._named, self._fetcher)
        return Spool(self._permitted(files), source=self.uri)

    def _permitted(self, files: Iterable[ListedFile]) -> Iterator[ListedFile]:
        for file in files:
            if self._allowed is not None and (place := place_of(file)) is not None:
                self._allowed.require(place)
            yield file
