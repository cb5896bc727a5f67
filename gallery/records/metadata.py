"""All tables of the records, whichever of them somebody has imported before."""

import pkgutil
from importlib import import_module

from sqlalchemy import MetaData

from gallery import records
from gallery.records.base import Record


def metadata() -> MetaData:
    """The tables of every module in this package: a new one is forgotten by nobody."""
    for module in pkgutil.iter_modules(records.__path__, f"{records.__name__}."):
        import_module(module.name)
    return Record.metadata
