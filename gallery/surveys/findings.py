"""What a run finds otherwise than it was seen last, kept until it is published or found otherwise again."""

import pickle
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from tempfile import TemporaryFile
from typing import IO, Protocol

from sqlalchemy import Connection, delete, insert

from gallery.filters.filtering import record_attributes
from gallery.membership import chunks
from gallery.records.files import FindingRecord
from gallery.surveys.seen import FIELDS, PAGE, Coverage, SeenFile


class Findings(Protocol):
    """Where a survey leaves what it finds."""

    def put(self, file: SeenFile) -> None:
        """This is what was found at the file's uri."""

    def drop(self, uri: str) -> None:
        """At this uri nothing was found that is not known."""

    def flush(self) -> None:
        """Make what was put and dropped durable."""


class RecordedFindings:
    """Findings in the database, written some at a time in short transactions."""

    def __init__(self, writing: Callable[[], AbstractContextManager[Connection]], gallery_id: int) -> None:
        self._writing = writing
        self._gallery_id = gallery_id
        self._waiting: dict[str, SeenFile | None] = {}

    def keep_only(self, coverage: Coverage) -> None:
        """Forget what a run over other sources has left: it is found again when that one is repeated."""
        with self._writing() as connection:
            forget_others(connection, self._gallery_id, coverage)

    def put(self, file: SeenFile) -> None:
        """This is what was found at the file's uri."""
        self._wait(file.uri, file)

    def drop(self, uri: str) -> None:
        """At this uri nothing was found that is not known."""
        self._wait(uri, None)

    def flush(self) -> None:
        """Make what was put and dropped durable."""
        waiting, self._waiting = self._waiting, {}
        if waiting:
            with self._writing() as connection:
                record_findings(connection, self._gallery_id, waiting)

    def _wait(self, uri: str, file: SeenFile | None) -> None:
        self._waiting[uri] = file
        if len(self._waiting) >= PAGE:
            self.flush()


class SpooledFindings:
    """Findings in a file that nobody else sees, for what is tried out."""

    def __init__(self) -> None:
        self._spool: IO[bytes] = TemporaryFile()  # noqa: SIM115 - it is gone when nobody holds it

    def put(self, file: SeenFile) -> None:
        """This is what was found at the file's uri."""
        pickle.dump((file.uri, file), self._spool)

    def drop(self, uri: str) -> None:
        """At this uri nothing was found that is not known."""
        pickle.dump((uri, None), self._spool)

    def flush(self) -> None:
        """Nothing is made durable."""

    def record(self, connection: Connection, gallery_id: int) -> None:
        """Write them in the order in which they came, into a transaction that will be taken back."""
        self._spool.seek(0)
        for chunk in chunks(self._spooled()):
            record_findings(connection, gallery_id, dict(chunk))

    def _spooled(self) -> Iterator[tuple[str, SeenFile | None]]:
        while True:
            try:
                yield pickle.load(self._spool)  # our own, from this very process
            except EOFError:
                return


def forget_others(connection: Connection, gallery_id: int, coverage: Coverage) -> None:
    """Forget the findings at uris that are not covered."""
    others = delete(FindingRecord).where(FindingRecord.gallery_id == gallery_id, ~coverage.of(FindingRecord))
    connection.execute(others)


def record_findings(connection: Connection, gallery_id: int, files: dict[str, SeenFile | None]) -> None:
    """Write what was found at these uris in place of what was found before; None is nothing."""
    of_gallery = FindingRecord.gallery_id == gallery_id
    for uris in chunks(files):
        connection.execute(delete(FindingRecord).where(of_gallery, FindingRecord.uri.in_(uris)))
    rows = [
        {"gallery_id": gallery_id, **{name: getattr(file, name) for name in FIELDS}}
        for file in files.values()
        if file is not None
    ]
    if rows:
        connection.execute(insert(FindingRecord), rows)
    told = {file.attributes: file.told for file in files.values() if file is not None and file.attributes}
    record_attributes(connection, gallery_id, told)
