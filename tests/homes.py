"""Homes for tests: a folder with everything that its galleries are, in SQLite or beside PostgreSQL."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path

from tests.postgresql import copy_database, drop_database

RECORDS = "records.db"
ELSEWHERE = "records.url"
"""The file in a home that names its database, where that does not lie in the home."""


def new_home(home: Path, *, like: str | Path) -> Path:
    """A home with nothing in it but migrated records: copies of a SQLite file or of a URL's database."""
    home.mkdir(parents=True)
    if isinstance(like, Path):
        shutil.copy(like, home / RECORDS)
    else:
        _name_copy(home, like)
    return home


def database_of(home: Path) -> str:
    """The URL of the records of a home."""
    elsewhere = home / ELSEWHERE
    return elsewhere.read_text() if elsewhere.exists() else f"sqlite:///{home / RECORDS}"


def copy_home(home: Path, to: Path) -> Path:
    """A copy of a home; whoever had the records of the original open in PostgreSQL is cut off."""
    shutil.copytree(home, to)
    if (to / ELSEWHERE).exists():
        _name_copy(to, database_of(home))
    return to


def remove_home(home: Path) -> None:
    """The folder and its records."""
    if (home / ELSEWHERE).exists():
        drop_database(database_of(home))
    shutil.rmtree(home)


def _name_copy(home: Path, url: str) -> None:
    (home / ELSEWHERE).write_text(copy_database(url, f"home_{uuid.uuid4().hex}"))
