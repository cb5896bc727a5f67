"""Brings a database to this version's schema, from a checkout and from an installed wheel alike."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from gallery.database import open_engine

URL_ATTRIBUTE = "database_url"
"""Where `env.py` looks for the URL; an option of the ini file would read its % signs as its own."""


def upgrade(url: str) -> None:
    """Run the migrations that the database has not seen, all of them or none; safe to call at any time."""
    command.upgrade(_config(url), "head")


def current(url: str) -> str | None:
    """The revision that the database is at, None if nothing was ever migrated."""
    engine = open_engine(url)
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()


def head() -> str:
    """The revision that this version needs."""
    revision = ScriptDirectory.from_config(_config("")).get_current_head()
    assert revision is not None, "the package ships at least one migration"
    return revision


def is_current(url: str) -> bool:
    """Whether the database is at the revision that this version needs."""
    return current(url) == head()


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes[URL_ATTRIBUTE] = url
    return config
