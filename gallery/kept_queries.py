"""Uploaded queries that are kept for a while, under ids that nobody can guess, for every replica to read.

Records and files lie beside the galleries. Only digests of the ids are kept: neither the database nor the
folder tells how a query is asked for.
"""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, insert, select

from gallery.database import writing
from gallery.errors import QueriesFull, QueryNotFound
from gallery.files import remove, write_file
from gallery.filters.attributes import is_storable
from gallery.records.kept_queries import KeptQueryRecord

FOLDER = "queries"
ID_BYTES = 32
"""256 bits of chance in an id."""
STRAY_AFTER = timedelta(hours=1)
"""How old a file without a record must be to be removed: one that is being kept has none yet."""


@dataclass(frozen=True, slots=True)
class KeepingLimits:
    """How many queries are kept at the same time, and of how many bytes together."""

    queries: int
    bytes: int


@dataclass(frozen=True, slots=True)
class KeptQuery:
    """The picture as it was sent, and what it was called."""

    data: bytes
    name: str | None


class KeptQueries:
    """The kept queries below `home`, remembered in the database behind `engine`. Safe for many threads."""

    def __init__(
        self, home: Path, engine: Engine, limits: KeepingLimits, *, clock: Callable[[], datetime]
    ) -> None:
        self._folder = home / FOLDER
        self._engine = engine
        self._limits = limits
        self._clock = clock

    def keep(self, data: bytes, name: str | None, *, seconds: float) -> tuple[str, datetime]:
        """The id of the query from now on, and until when; raises QueriesFull. What is over is removed."""
        return self.keep_each([KeptQuery(data, name)], seconds=seconds)[0]

    def keep_each(self, queries: Sequence[KeptQuery], *, seconds: float) -> list[tuple[str, datetime]]:
        """The same of several in their order: either all of them are kept, or none."""
        self.collect()
        size = sum(len(each.data) for each in queries)
        with self._engine.connect() as connection:
            self._require_room(connection, len(queries), size)
        until = self._clock() + timedelta(seconds=seconds)
        ids = [secrets.token_urlsafe(ID_BYTES) for _ in queries]
        rows = [_row(query_id, each, until) for query_id, each in zip(ids, queries, strict=True)]
        try:
            for row, each in zip(rows, queries, strict=True):
                write_file(self._path(row["digest"]), each.data)
            with writing(self._engine) as connection:
                self._require_room(connection, len(queries), size)  # others may have kept some meanwhile
                connection.execute(insert(KeptQueryRecord), rows)
        except BaseException:
            for row in rows:
                remove(self._path(row["digest"]))
            raise
        return [(query_id, until) for query_id in ids]

    def find(self, query_id: str) -> KeptQuery:
        """The query of this id; raises QueryNotFound where it is over, was forgotten, or never was."""
        digest = _digest(query_id)
        statement = select(KeptQueryRecord.name).where(
            KeptQueryRecord.digest == digest, KeptQueryRecord.expires_at > self._clock()
        )
        with self._engine.connect() as connection:
            row = connection.execute(statement).one_or_none()
        try:
            if row is not None:
                return KeptQuery(self._path(digest).read_bytes(), row.name)
        except FileNotFoundError:
            pass  # it was forgotten meanwhile
        raise QueryNotFound

    def forget(self, query_id: str) -> None:
        """Remove the query before its time; raises QueryNotFound."""
        digest = _digest(query_id)
        with writing(self._engine) as connection:
            gone = connection.execute(delete(KeptQueryRecord).where(KeptQueryRecord.digest == digest))
        remove(self._path(digest))
        if not gone.rowcount:
            raise QueryNotFound

    def collect(self) -> int:
        """Remove what is over, and files that nothing names; returns how many queries were over."""
        with writing(self._engine) as connection:
            over = delete(KeptQueryRecord).where(KeptQueryRecord.expires_at <= self._clock())
            digests = list(connection.scalars(over.returning(KeptQueryRecord.digest)))
            named = set(connection.scalars(select(KeptQueryRecord.digest)))
        for digest in digests:
            remove(self._path(digest))
        for path in self._folder.iterdir() if self._folder.is_dir() else ():
            if path.name not in named and self._is_old(path):
                remove(path)
        return len(digests)

    def _is_old(self, path: Path) -> bool:
        try:
            age = self._clock().timestamp() - path.stat().st_mtime
        except FileNotFoundError:
            return False
        return age > STRAY_AFTER.total_seconds()

    def _require_room(self, connection: Connection, queries: int, size: int) -> None:
        count, total = connection.execute(
            select(func.count(), func.coalesce(func.sum(KeptQueryRecord.bytes), 0)).select_from(
                KeptQueryRecord
            )
        ).one()
        if count + queries > self._limits.queries or int(total) + size > self._limits.bytes:
            raise QueriesFull(
                f"{count} queries of {int(total):,} bytes are kept, and no more than "
                f"{self._limits.queries} of {self._limits.bytes:,} may be, so there is no room for {queries} "
                f"more of {size:,}: ask without keep, or again when some are over."
            )

    def _path(self, digest: str) -> Path:
        return self._folder / digest


def _row(query_id: str, query: KeptQuery, until: datetime) -> dict[str, Any]:
    name = query.name if query.name and is_storable(query.name) else None
    return {"digest": _digest(query_id), "name": name, "bytes": len(query.data), "expires_at": until}


def _digest(query_id: str) -> str:
    return hashlib.sha256(query_id.encode("utf-8", "replace")).hexdigest()
