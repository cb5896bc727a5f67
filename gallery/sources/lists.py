"""Lists of images: a text file with one path or URI a line."""

from collections.abc import Iterator
from typing import IO

from gallery.errors import InvalidSource, OriginalUnavailable
from gallery.sources.found import ListedFile
from gallery.sources.references import referred
from gallery.sources.texts import lines, name_of
from gallery.web.urls import shown

COMMENT = "#"
_SUFFIXES = (".txt", ".lst")


def is_list(uri: str) -> bool:
    """Whether it is named like a list."""
    return name_of(uri).lower().endswith(_SUFFIXES)


def read_list(file: IO[bytes], uri: str) -> Iterator[ListedFile]:
    """The images that the list at `uri` names, in its order; empty lines and comments are left out.

    Raises InvalidSource, naming the line.
    """
    for number, line in enumerate(lines(file, uri), start=1):
        reference = line.strip()
        if reference and not reference.startswith(COMMENT):
            try:
                yield referred(reference, base=uri)
            except (InvalidSource, OriginalUnavailable) as error:
                raise InvalidSource(f"{shown(uri)}, line {number}: {error}") from error
