"""The published builds in use: opened once, shared by all questions, replaced when a newer one appears."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from gallery.build import Build
from gallery.errors import NothingPublished
from gallery.galleries import Galleries
from search_api.errors import AmbiguousGallery
from siamese.checkpoint import CheckpointRecord, load_record

DEFAULT_GALLERY = "default"
"""What the command line calls a gallery that was given no name."""


@dataclass(slots=True)
class _Opened:
    """One open build with the record of its encoder, and how many questions are reading it."""

    build: Build
    record: CheckpointRecord
    readers: int = 0
    superseded: bool = False


@dataclass(slots=True)
class _Shelf:
    """Where the open build of one gallery stands."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    current: _Opened | None = None


class OpenBuilds:
    """Lends the published build of a gallery; a build that was replaced is closed by its last reader."""

    def __init__(self, galleries: Galleries) -> None:
        self._galleries = galleries
        self._lock = threading.Lock()
        self._shelves: dict[str, _Shelf] = defaultdict(_Shelf)

    @contextmanager
    def lend(self, name: str | None) -> Iterator[tuple[Build, CheckpointRecord]]:
        """The build of this gallery that is published now, open until the block ends.

        No name: the only published gallery, or the one called “default”.
        Raises GalleryNotFound, NothingPublished, AmbiguousGallery.
        """
        name = name if name is not None else self.only()
        published = self._galleries.published_build(name)
        with self._lock:
            shelf = self._shelves[name]
        opened = self._take(shelf, name, published)
        try:
            yield opened.build, opened.record
        finally:
            self._give_back(shelf, opened)

    def only(self) -> str:
        """The gallery that is meant where none is named; raises NothingPublished, AmbiguousGallery."""
        names = [each.name for each in self._galleries.published()]
        if not names:
            raise NothingPublished("No gallery is published yet; index a folder first.")
        if len(names) > 1 and DEFAULT_GALLERY not in names:
            raise AmbiguousGallery(names)
        return DEFAULT_GALLERY if DEFAULT_GALLERY in names else names[0]

    def close(self) -> None:
        """Closes what nobody reads; what is read is closed by its last reader."""
        with self._lock:
            shelves = list(self._shelves.values())
        for shelf in shelves:
            with shelf.lock:
                _supersede(shelf)

    def _take(self, shelf: _Shelf, name: str, published: int) -> _Opened:
        with shelf.lock:
            if shelf.current is None or shelf.current.build.number != published:
                opened = _opened(self._galleries.open(name))
                _supersede(shelf)
                shelf.current = opened
            shelf.current.readers += 1
            return shelf.current

    @staticmethod
    def _give_back(shelf: _Shelf, opened: _Opened) -> None:
        with shelf.lock:
            opened.readers -= 1
            if opened.superseded and not opened.readers:
                opened.build.close()


def _opened(build: Build) -> _Opened:
    """The build with its encoder's record; closed where that cannot be read."""
    try:
        return _Opened(build, load_record(build.checkpoint))
    except BaseException:
        build.close()
        raise


def _supersede(shelf: _Shelf) -> None:
    if shelf.current is None:
        return
    shelf.current.superseded = True
    if not shelf.current.readers:
        shelf.current.build.close()
    shelf.current = None
