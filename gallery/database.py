"""The connection to the records: SQLite by default, PostgreSQL through the same code."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DatabaseError

from gallery.errors import SchemaOutdated
from gallery.records.base import SCHEMA_REVISION

BUSY_TIMEOUT_MS = 30_000
"""How long a writer waits for another one: longer than publishing a million images takes."""

WRITERS_LOCK = 0x77687961
"""The advisory lock of PostgreSQL that writers of one database take turns by ("whya")."""

IDLE_TIMEOUT_MS = 300_000
"""When PostgreSQL ends a transaction that does nothing, as of a machine that was suspended while it wrote:
ten times as long as a writer waits for it, and longer than removing a large segment takes."""

_IMMEDIATE = "whyalike_immediate"
_SINGLE = "whyalike_single"

ENGINES_KEPT = 8
"""Whose options are kept as they were made: a process has one, and making them is a tenth of a question."""


def open_engine(url: str) -> Engine:
    """An engine for `sqlite:///…` or `postgresql://…`; a SQLite file's folder is made.

    On both, `engine.begin()` reads one snapshot, and `writing(engine)` waits at its beginning until it is
    the only writer. SQLite runs in WAL mode with full synchronisation, foreign keys and a busy timeout.
    PostgreSQL's connections are tried before they are used, so that a server may be started again.
    """
    parsed = make_url(url)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "postgresql":
        engine = create_engine(parsed, isolation_level="REPEATABLE READ", pool_pre_ping=True)
        event.listen(engine, "connect", _configure_postgresql)
        event.listen(engine, "begin", _begin_postgresql)
        return engine
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
    options: dict[str, Any] = {_IMMEDIATE: True}
    if engine.dialect.name == "postgresql":
        options["isolation_level"] = "READ COMMITTED"  # see what was committed while it waited for its turn
    with engine.execution_options(**options).begin() as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection without a transaction around it, whose beginning and end would cost as much as a question.

    For what a build says, which never changes; of what may change (removals, judgements) each statement sees
    the state of its moment. Several that must see the same state are asked within `engine.begin()`.
    """
    with _for_reading(engine).connect() as connection:
        yield connection


@lru_cache(maxsize=ENGINES_KEPT)
def _for_reading(engine: Engine) -> Engine:
    options: dict[str, Any] = {_SINGLE: True}
    if engine.dialect.name == "postgresql":
        options["isolation_level"] = "AUTOCOMMIT"
    return engine.execution_options(**options)


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
    options = connection.get_execution_options()
    if not options.get(_SINGLE, False):
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get(_IMMEDIATE, False) else "BEGIN")


def _configure_postgresql(connection: Any, _record: Any) -> None:
    connection.autocommit = True  # a setting made in a transaction ends with it
    for setting in (
        f"lock_timeout = {BUSY_TIMEOUT_MS}",
        f"idle_in_transaction_session_timeout = {IDLE_TIMEOUT_MS}",
    ):
        connection.execute(f"SET {setting}")
    connection.autocommit = False


def _begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get(_IMMEDIATE, False):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITERS_LOCK})")
