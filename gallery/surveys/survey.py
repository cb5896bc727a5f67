"""A run's look at its sources: what lies there now is compared with what was seen last.

Both come in the order of uris and are merged, so that memory does not grow with the gallery, and only what
differs is written.
"""

import heapq
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice
from operator import attrgetter

from sqlalchemy import Engine

from gallery.filters.attributes import digest_of
from gallery.records.files import FileRecord, FindingRecord
from gallery.sources.roots import is_below
from gallery.sources.source import Naming, Source, SourceFile, UnlistedFolder
from gallery.surveys.amendments import Amendment, amended, hold_for, of_places, of_whole_sources
from gallery.surveys.findings import Findings
from gallery.surveys.seen import PAGE, REMOVED, Coverage, SeenFile, Unreadable, seen_files
from gallery.surveys.trust import Trust

NAMESAKE = "another file's name is the same when written as UTF-8"


@dataclass(frozen=True, slots=True)
class Doubt:
    """A file that must be read to know what it holds; `seen` and `finding` tell what was known of it.

    `said` is what a person has said of its place.
    """

    file: SourceFile
    source: str
    seen: SeenFile | None
    finding: SeenFile | None
    said: Amendment | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """A file of which it is known without reading it what it holds: an image, or a `reason` for none."""

    uri: str
    reason: str | None


class Survey:
    """The comparison of one run; `compare` each source once, `learn` what every doubtful file holds."""

    def __init__(
        self,
        engine: Engine,
        gallery_id: int,
        sources: Sequence[Source],
        findings: Findings,
        *,
        trust: Trust,
        listings: Collection[str] = (),
    ) -> None:
        """`listings` are the uris of those sources of the gallery that name files wherever they lie."""
        self.sources = sources
        self.findings = findings
        self.namesakes: list[Unreadable] = []
        self.readable = 0
        self._engine = engine
        self._gallery_id = gallery_id
        self._trust = trust
        self._named = [source for source in sources if isinstance(source, Naming)]
        self._other_listings = set(listings) - {source.uri for source in sources}
        self._found: Counter[str] = Counter()
        self._unlisted: dict[str, UnlistedFolder] = {}
        self._of_sources = of_whole_sources(engine, gallery_id)

    @property
    def coverage(self) -> Coverage:
        """What was looked for."""
        return Coverage(self.sources, tuple(self._unlisted))

    @property
    def empty(self) -> list[Source]:
        """The sources in which no file was found, readable or not."""
        return [source for source in self.sources if not self._found[source.uri]]

    def compare(self, source: Source) -> Iterator[Doubt | Settled]:
        """Each file of the source, in the order of uris; what is gone is noted on the way."""
        for uri, group in groupby(self._merged(source), key=attrgetter("uri")):
            files: list[SourceFile] = []
            known = finding = said = None
            for each in group:
                if isinstance(each, SeenFile):
                    known = each
                elif isinstance(each, _Finding):
                    finding = each.file
                elif isinstance(each, Amendment):
                    said = each
                else:
                    files.append(each)
            if not (files or known or finding):
                continue  # nobody knows anything of it but what a person said once
            if self._is_told_elsewhere(uri, source, known):
                self._found[source.uri] += bool(files)
            elif files:
                yield from self._look(files, source, known, finding, said)
            else:
                self._miss(uri, source, known, finding)

    def learn(self, doubt: Doubt, *, checksum: str | None, reason: str | None = None) -> None:
        """Note what a doubtful file holds: content, or nothing for a `reason`."""
        if doubt.said is not None and doubt.said.removes(checksum):
            reason = REMOVED
        self.readable += reason is None
        self._note(outcome(doubt.file, doubt.source, checksum, reason), doubt.seen, doubt.finding)

    def _merged(self, source: Source) -> Iterator["SourceFile | SeenFile | _Finding | Amendment"]:
        found = _ascending(source.files(leave_out=lambda folder: self._leave_out(folder, source)))
        seen: Iterator[SeenFile] = seen_files(self._engine, self._gallery_id, source, FileRecord)
        pending = self._believed(seen_files(self._engine, self._gallery_id, source, FindingRecord))
        findings = (_Finding(each.uri, each) for each in pending)
        if not self._trust.all_embedded:
            seen = self._believed(seen)
        said = of_places(self._engine, self._gallery_id, source)
        streams: list[Iterator[SourceFile | SeenFile | _Finding | Amendment]] = [found, seen, findings, said]
        return heapq.merge(*streams, key=attrgetter("uri"))

    def _is_told_elsewhere(self, uri: str, source: Source, seen: SeenFile | None) -> bool:
        """Whether a file of a folder is a listing's, too: what that says of it holds."""
        if source.is_listing:
            return False
        return any(uri in listing for listing in self._named) or (
            seen is not None and not seen.is_gone and seen.source in self._other_listings
        )

    def _look(
        self,
        files: Sequence[SourceFile],
        source: Source,
        seen: SeenFile | None,
        finding: SeenFile | None,
        said: Amendment | None,
    ) -> Iterator[Doubt | Settled]:
        """The first of files whose uris are one is looked at; the others are namesakes."""
        self._found[source.uri] += 1
        file = self._amended(files[0], source, said)
        known = next((each for each in (finding, seen) if each and self._is_same(file, each, said)), None)
        if known is None:
            yield Doubt(file, source.uri, seen, finding, said)
        else:
            reason = REMOVED if said and said.removes(known.checksum) else known.reason
            if finding is not None or reason != known.reason or not _says_the_same(file, source, known):
                self._note(outcome(file, source.uri, known.checksum, reason), seen, finding)
            self.readable += reason is None
            yield Settled(file.uri, reason)
        for other in files[1:]:
            self.namesakes.append(Unreadable(other.uri, None, NAMESAKE))
            yield Settled(other.uri, NAMESAKE)

    def _amended(self, file: SourceFile, source: Source, said: Amendment | None) -> SourceFile:
        whole = hold_for(self._of_sources, file.uri, source) if self._of_sources else []
        return amended(file, [*whole, said] if said else whole)

    def _is_same(self, file: SourceFile, known: SeenFile, said: Amendment | None) -> bool:
        if known.reason == REMOVED and not (said and said.removes(known.checksum)):
            return False  # it is an image again
        if (
            file.version is None
            or (file.size, file.version) != (known.size, known.version)
            or self._trust.rehash
        ):
            return False
        return not known.is_gone and (known.reason is None or not self._trust.retry_failed)

    def _miss(self, uri: str, source: Source, seen: SeenFile | None, finding: SeenFile | None) -> None:
        if any(is_below(uri, folder) for folder in self._unlisted):
            if finding is not None and uri not in self._unlisted:
                self.findings.drop(uri)  # what lies in the folder is not known, so that it stays as it was
        elif seen is None:
            self.findings.drop(uri)
        else:
            gone = replace(seen, source=source.uri, size=None, version=None, checksum=None, reason=None)
            self._note(gone, seen, finding)

    def _note(self, now: SeenFile, seen: SeenFile | None, finding: SeenFile | None) -> None:
        if now == seen:
            if finding is not None:
                self.findings.drop(now.uri)
        elif now != finding:
            self.findings.put(now)

    def _leave_out(self, folder: UnlistedFolder, source: Source) -> None:
        self._found[source.uri] += 1
        self._unlisted[folder.uri] = folder
        self.findings.put(SeenFile(folder.uri, source.uri, None, None, None, None, None, folder.reason))

    def _believed(self, files: Iterable[SeenFile]) -> Iterator[SeenFile]:
        """The same, without the version where the content is not embedded: its file must be read again."""
        iterator = iter(files)
        while page := list(islice(iterator, PAGE)):
            held = self._trust.embedded({file.checksum for file in page if file.checksum is not None})
            yield from (
                file if file.checksum in held or file.reason else replace(file, version=None) for file in page
            )


def outcome(file: SourceFile, source: str, checksum: str | None, reason: str | None) -> SeenFile:
    """What is seen of a file once it is known what it holds."""
    told = file.attributes
    return SeenFile(
        file.uri, source, file.label, digest_of(told), file.size, file.version, checksum, reason, told
    )


@dataclass(frozen=True, slots=True)
class _Finding:
    """What the run before has found, to be told from what was seen."""

    uri: str
    file: SeenFile


def _says_the_same(file: SourceFile, source: Source, seen: SeenFile) -> bool:
    """Whether a file that has not changed is told of as it was; most are, and that is to be quick."""
    if file.attributes or seen.attributes is not None:
        return False  # whoever calls looks closer
    return (file.label, source.uri) == (seen.label, seen.source)


def _ascending(files: Iterable[SourceFile]) -> Iterator[SourceFile]:
    last = ""
    for file in files:
        if file.uri < last:
            raise ValueError(
                f"A source gives its files in the order of their uris, not {file.uri} after {last}."
            )
        last = file.uri
        yield file
