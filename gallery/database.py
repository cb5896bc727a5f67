"""The connection to the records: SQLite by default, PostgreSQL through the same code."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DatabaseError

from gallery.errors import SchemaOutdated
from gallery.records.base import SCHEMA_REVISION

BUSY_TIMEOUT_MS = 30_000
"""How long a writer waits for another one: longer than publishing a million images takes."""

_IMMEDIATE = "whyalike_immediate"


def open_engine(url: str) -> Engine:
    """An engine for `sqlite:///…` or any other SQLAlchemy URL; a SQLite file's folder is made.

    SQLite runs in WAL mode with full synchronisation, foreign keys and a busy timeout, and its transactions
    are SQLAlchemy's: `engine.begin()` reads a snapshot, `writing(engine)` takes the write lock at once.
    """
    parsed = make_url(url)
    engine = create_engine(parsed)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database and parsed.database != ":memory:":
            Path(parsed.database).absolute().parent.mkdir(parents=True, exist_ok=True)
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes: it waits for its turn at the beginning, so that it never fails half-way."""
    with engine.execution_options(**{_IMMEDIATE: True}).begin() as connection:
        yield connection


def require_schema(engine: Engine) -> None:
    """Refuse a database whose schema is not the one of these records; raises SchemaOutdated."""
    found = _schema_revision(engine)
    if found != SCHEMA_REVISION:
        state = f"at {found}" if found else "empty"
        raise SchemaOutdated(
            f"The schema of {engine.url} is {state}, this version needs {SCHEMA_REVISION}; "
            "run `whyalike migrate`."
        )


def _schema_revision(engine: Engine) -> str | None:
    try:
        with engine.connect() as connection:
            revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
            return revision
    except DatabaseError as error:
        if "alembic_version" in str(error.orig):
            return None  # no such table: nothing was ever migrated
        raise


def _configure_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver must not begin transactions of its own
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "journal_mode = WAL",
        "synchronous = FULL",  # a segment's rows are durable once committed, also when the power fails
        "foreign_keys = ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    immediate = connection.get_execution_options().get(_IMMEDIATE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
