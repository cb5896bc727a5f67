"""What Alembic runs: the gallery's records against a database URL, and nothing else.

The URL is the one that `migrations.schema` passes, or, for the `alembic` command, WHYALIKE_DATABASE_URL.
"""

import os

from alembic import context
from sqlalchemy import Connection

from gallery.database import open_engine, writing
from gallery.records.metadata import metadata


def _url() -> str:
    url = context.config.attributes.get("database_url") or os.environ.get("WHYALIKE_DATABASE_URL")
    if not url:
        raise SystemExit(
            "Set WHYALIKE_DATABASE_URL to the database to migrate, such as sqlite:////data/whyalike.db."
        )
    return str(url)


def _migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata(),
        render_as_batch=connection.dialect.name == "sqlite",  # SQLite alters a table by copying it
        transactional_ddl=True,  # so does SQLite, once its driver begins no transactions of its own
    )
    with context.begin_transaction():
        context.run_migrations()


def _migrate_online() -> None:
    engine = open_engine(_url())
    try:
        with writing(engine) as connection:  # a second process waits, and then finds the work done
            _migrate(connection)
    finally:
        engine.dispose()


def _migrate_offline() -> None:
    context.configure(url=_url(), target_metadata=metadata(), literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    _migrate_offline()
else:
    _migrate_online()
