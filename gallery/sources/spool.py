"""What a listing names, put in the order of uris on disk, so that memory does not grow with it."""

import pickle
import sqlite3
from collections.abc import Iterable, Iterator

from gallery.errors import InvalidSource
from gallery.sources.found import ListedFile
from gallery.web.urls import shown

PAGE = 1000
"""Files that are read back at a time."""


class Spool:
    """Files by uri, each uri once, in a private file that the system removes when it is closed."""

    def __init__(self, files: Iterable[ListedFile], *, source: str) -> None:
        """Raises InvalidSource where the source says two things of one file."""
        self._source = source
        self._files = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._files.execute("CREATE TABLE files (uri TEXT PRIMARY KEY, file BLOB) WITHOUT ROWID")
        self._files.execute("BEGIN")
        for file in files:
            self._put(file)
        self._files.execute("COMMIT")

    def __len__(self) -> int:
        """How many files there are."""
        (count,) = self._files.execute("SELECT count(*) FROM files").fetchone()
        return int(count)

    def __contains__(self, uri: str) -> bool:
        """Whether there is a file at this uri."""
        return self._files.execute("SELECT 1 FROM files WHERE uri = ?", (uri,)).fetchone() is not None

    def __iter__(self) -> Iterator[ListedFile]:
        """The files, in the order of their uris' code points."""
        last = ""
        while page := self._files.execute(
            "SELECT uri, file FROM files WHERE uri > ? ORDER BY uri LIMIT ?", (last, PAGE)
        ).fetchall():
            for _, file in page:
                yield pickle.loads(file)  # written by ourselves, above
            last = page[-1][0]

    def _put(self, file: ListedFile) -> None:
        made = self._files.execute(
            "INSERT OR IGNORE INTO files VALUES (?, ?)", (file.uri, pickle.dumps(file))
        )
        if made.rowcount:
            return
        (known,) = self._files.execute("SELECT file FROM files WHERE uri = ?", (file.uri,)).fetchone()
        before: ListedFile = pickle.loads(known)
        if (before.label, before.attributes, before.at) != (file.label, file.attributes, file.at):
            raise InvalidSource(f"{shown(self._source)} says two things of {shown(file.uri)}; leave out one.")
