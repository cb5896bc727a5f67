"""The home: one folder under which everything is kept, and the galleries in it."""

from sqlalchemy.exc import OperationalError

from gallery.database import open_engine
from gallery.galleries import Galleries
from migrations.schema import upgrade
from whyalike.errors import DatabaseUnavailable
from whyalike.settings import Settings


def open_galleries(settings: Settings) -> Galleries:
    """The galleries of the home, which is made where it is missing; its database is brought to the schema.

    Raises DatabaseUnavailable.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    migrate(settings)
    return Galleries(settings.home, open_engine(settings.database))


def migrate(settings: Settings) -> None:
    """Brings the database to the schema of this version; raises DatabaseUnavailable."""
    try:
        upgrade(settings.database)
    except OperationalError as error:
        raise DatabaseUnavailable(
            f"the database {settings.database} cannot be opened: {error.orig}"
        ) from error
