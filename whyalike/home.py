"""The home: one folder under which everything is kept, and the galleries in it."""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic.util import CommandError
from sqlalchemy import Engine, make_url
from sqlalchemy.exc import ArgumentError, OperationalError

from gallery.database import open_engine
from gallery.galleries import Galleries
from migrations.schema import is_current, upgrade
from whyalike.errors import BadSetting, DatabaseTooNew, DatabaseUnavailable, is_locked
from whyalike.settings import Settings


def open_galleries(settings: Settings) -> Galleries:
    """The galleries of the home, which is made where it is missing; its database is brought to the schema.

    A database that has the schema is only read, so nobody waits for a process that writes to it.
    Raises BadSetting, DatabaseUnavailable, DatabaseTooNew, and OperationalError of a locked database.
    """
    return Galleries(settings.home, open_records(settings), settings=settings.gallery)


def open_records(settings: Settings) -> Engine:
    """The records alone; the same, and the same is raised."""
    settings.home.mkdir(parents=True, exist_ok=True)
    with _telling(settings):
        if not is_current(settings.database):
            upgrade(settings.database)
    return open_engine(settings.database)


def migrate(settings: Settings) -> None:
    """Brings the database to the schema of this version; raises what `open_galleries` raises."""
    with _telling(settings):
        upgrade(settings.database)


@contextmanager
def _telling(settings: Settings) -> Iterator[None]:
    """What goes wrong with the database, in words, and never with its password."""
    try:
        url = make_url(settings.database).render_as_string(hide_password=True)
        yield
    except ArgumentError as error:
        raise BadSetting(f"WHYALIKE_DATABASE_URL is no database that can be used: {error}") from error
    except ModuleNotFoundError as error:
        raise DatabaseUnavailable(
            f"{url} needs the package {error.name}: pip install 'whyalike[postgres]'"
        ) from error
    except CommandError as error:  # its revision is none of ours
        raise DatabaseTooNew(
            f"the database {url} was written by a newer WhyAlike; install that version, or name another "
            "database or home"
        ) from error
    except OperationalError as error:
        if is_locked(error):
            raise  # the command line has its sentence for this, wherever it happens
        reason = " ".join(str(error.orig).split())
        raise DatabaseUnavailable(f"the database {url} cannot be opened: {reason}") from error
