"""The home: one folder under which everything is kept, and the galleries in it."""

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, OperationalError

from gallery.database import open_engine
from gallery.galleries import Galleries
from migrations.schema import upgrade
from whyalike.errors import BadSetting, DatabaseUnavailable
from whyalike.settings import Settings


def open_galleries(settings: Settings) -> Galleries:
    """The galleries of the home, which is made where it is missing; its database is brought to the schema.

    Raises BadSetting and DatabaseUnavailable.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    migrate(settings)
    return Galleries(settings.home, open_engine(settings.database))


def migrate(settings: Settings) -> None:
    """Brings the database to the schema of this version; raises BadSetting and DatabaseUnavailable."""
    try:
        url = make_url(settings.database).render_as_string(hide_password=True)
        upgrade(settings.database)
    except ArgumentError as error:
        raise BadSetting(f"WHYALIKE_DATABASE_URL is no database that can be used: {error}") from error
    except ModuleNotFoundError as error:
        raise DatabaseUnavailable(
            f"{url} needs the package {error.name}: pip install 'whyalike[postgres]'"
        ) from error
    except OperationalError as error:
        reason = " ".join(str(error.orig).split())
        raise DatabaseUnavailable(f"the database {url} cannot be opened: {reason}") from error
