"""What scans have seen of files: read from the records in the order of uris, a page at a time."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, Engine, and_, func, or_, select

from gallery.records.amendments import AmendmentRecord, RemovalRecord
from gallery.records.files import FileRecord, FindingRecord
from gallery.sources.source import Source

PAGE = 1000
"""Rows that are read and written at a time: some hundred kilobytes, whatever the size of a gallery."""

Seen = type[FileRecord] | type[FindingRecord]
"""The tables that say what was seen of files."""

REMOVED = "a person removed it from the gallery"
"""The reason of a file that is no image because a person said so."""

FIELDS = ("uri", "source", "label", "attributes", "size", "version", "checksum", "reason")


@dataclass(frozen=True, slots=True)
class SeenFile:
    """A file as somebody saw it; the fields are FileRecord's. Without checksum and reason it is gone.

    `attributes` is the digest of what is `told` of it, which only a file that was just looked at knows.
    """

    uri: str
    source: str | None
    label: str | None
    attributes: str | None
    size: int | None
    version: str | None
    checksum: str | None
    reason: str | None
    told: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def is_gone(self) -> bool:
        """Whether there is no such file any more."""
        return self.checksum is None and self.reason is None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that could not be read, and why; `checksum` is None where it had no bytes to be named by."""

    uri: str
    checksum: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a run looks for: the files of its sources, without what lies in the folders left `unlisted`."""

    sources: Sequence[Source]
    unlisted: Sequence[str] = ()

    def of(self, record: Seen) -> ColumnElement[bool]:
        """The condition that a run would have found the file if it were there."""
        unlisted = [~below(record, uri) for uri in self.unlisted]
        return and_(or_(*(_within(record, source) for source in self.sources)), *unlisted)


def seen_files(engine: Engine, gallery_id: int, source: Source, record: Seen) -> Iterator[SeenFile]:
    """What was seen of the files of a source, in the order of their uris.

    No transaction is held between the pages; what is written behind the reader does not disturb it.
    """
    columns = [getattr(record, name) for name in FIELDS]
    statement = select(*columns).where(record.gallery_id == gallery_id).order_by(record.uri).limit(PAGE)
    for part in _parts(record, source):
        last = ""
        while True:
            with engine.connect() as connection:
                page = connection.execute(statement.where(part, record.uri > last)).all()
            yield from (SeenFile(*row) for row in page)
            if len(page) < PAGE:
                break
            last = page[-1].uri


def unreadable_files(
    connection: Connection,
    gallery_id: int,
    coverage: Coverage | None = None,
    *,
    after: str | None = None,
    limit: int | None = None,
) -> Iterator[Unreadable]:
    """The files that could not be read when a run looked at them last, by uri; all, or covered ones.

    `limit` of them at most, whose uris come `after` that one. Those that a person removed from the gallery
    are not among them.
    """
    statement = select(FileRecord.uri, FileRecord.checksum, FileRecord.reason).where(_unreadable(gallery_id))
    if coverage is not None:
        statement = statement.where(coverage.of(FileRecord))
    if after is not None:
        statement = statement.where(FileRecord.uri > after)
    for uri, checksum, reason in connection.execute(statement.order_by(FileRecord.uri).limit(limit)):
        assert reason is not None, "the statement asks for them"
        yield Unreadable(uri, checksum, reason)


def count_unreadable(connection: Connection, gallery_id: int) -> int:
    """How many files `unreadable_files` gives where it gives all."""
    return connection.scalar(select(func.count()).where(_unreadable(gallery_id))) or 0


def _unreadable(gallery_id: int) -> ColumnElement[bool]:
    return and_(
        FileRecord.gallery_id == gallery_id, FileRecord.reason.is_not(None), FileRecord.reason != REMOVED
    )


def count_images(connection: Connection, gallery_id: int, coverage: Coverage) -> int:
    """How many of the gallery's images a run with this coverage looks for."""
    statement = select(func.count()).where(
        FileRecord.gallery_id == gallery_id, FileRecord.reason.is_(None), coverage.of(FileRecord)
    )
    return connection.scalar(statement) or 0


def _parts(record: Seen, source: Source) -> list[ColumnElement[bool]]:
    """Conditions that an index can answer, one after the other in the order of uris."""
    if source.is_listing:
        return [record.source == source.uri]
    return [record.uri == source.uri, below(record, source.uri)]


def _within(record: Seen, source: Source) -> ColumnElement[bool]:
    return or_(*_parts(record, source))


def below(record: Seen | type[AmendmentRecord] | type[RemovalRecord], uri: str) -> ColumnElement[bool]:
    """The condition that a file lies somewhere in the folder."""
    folder = uri.rstrip(os.sep)
    return and_(record.uri >= folder + os.sep, record.uri < folder + chr(ord(os.sep) + 1))
