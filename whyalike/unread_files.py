"""The files that a run could not read, as a table that outlives the terminal."""

import csv
import os
from collections.abc import Iterable
from pathlib import Path

from gallery.surveys.seen import Unreadable
from whyalike.errors import UsageError

COLUMNS = ("uri", "reason", "checksum")


def check_errors_file(path: Path) -> None:
    """Raise UsageError where that file could not be written after a run, which may take hours."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder: --errors wants a file")
    if not path.parent.is_dir():
        raise UsageError(f"{path} cannot be written: there is no folder {path.parent}")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UsageError(f"{path} cannot be written: permission denied")


def write_errors(path: Path, unreadable: Iterable[Unreadable]) -> None:
    """Write a table of the files that could not be read; raises UsageError where it cannot be written."""
    try:
        with path.open("w", encoding="utf-8", newline="") as stream:
            table = csv.writer(stream)
            table.writerow(COLUMNS)
            table.writerows((each.uri, each.reason, each.checksum) for each in unreadable)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from error
