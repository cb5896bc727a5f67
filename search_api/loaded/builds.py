"""The published builds in use: opened once, shared by all questions, replaced when a newer one appears."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from gallery.builds.build import Build
from gallery.errors import GalleryError, GalleryNotFound, NothingPublished
from gallery.galleries import Galleries
from search_api.errors import AmbiguousGallery
from search_api.loaded.checkpoints import Checkpoint
from siamese.checkpoint import RECORD_FILE

DEFAULT_GALLERY = "default"
"""What the command line calls a gallery that was given no name."""


_Written = tuple[int, int, int]
"""What tells one state of a file from another: its place on the disk, its time and its size."""


@dataclass(slots=True)
class _Opened:
    """One open build with what is told of its encoder, and how many questions are reading it.

    The checkpoint is read again when it was `written` anew: a build that is calibrated stays the same build.
    """

    build: Build
    checkpoint: Checkpoint
    written: _Written | None
    readers: int = 0
    superseded: bool = False


@dataclass(slots=True)
class _Shelf:
    """Where the open build of one gallery stands."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    current: _Opened | None = None


class OpenBuilds:
    """Lends the published build of a gallery; a build that was replaced is closed by its last reader.

    With a `build` it lends the one of this number, of whichever gallery.
    """

    def __init__(
        self,
        galleries: Galleries,
        *,
        build: int | None = None,
        observe: Callable[[str], None] = lambda gallery: None,
    ) -> None:
        """`observe` is told the gallery whenever a build of it is opened."""
        self._galleries = galleries
        self._build = build
        self._observe = observe
        self._lock = threading.Lock()
        self._shelves: dict[str, _Shelf] = defaultdict(_Shelf)

    @contextmanager
    def lend(self, name: str | None) -> Iterator[tuple[Build, Checkpoint]]:
        """The build of this gallery that is published now, open until the block ends, and its checkpoint.

        A checkpoint that was calibrated anew is noticed at the next question. No name: the only published
        gallery, or the one called “default”. Raises GalleryNotFound, NothingPublished, BuildNotFound,
        AmbiguousGallery.
        """
        if name is None:
            name, published = self._only()
        else:
            published = self._published(name)
        with self._lock:
            shelf = self._shelves[name]
        opened, checkpoint = self._take(shelf, name, self._build or published)
        try:
            yield opened.build, checkpoint
        finally:
            self._give_back(shelf, opened)

    @contextmanager
    def lend_kept(self, name: str, number: int) -> Iterator[tuple[Build, Checkpoint]]:
        """One build that the gallery keeps, published or not; raises GalleryNotFound and BuildNotFound."""
        if number == self._galleries.published_build(name):
            with self.lend(name) as lent:
                if lent[0].number == number:  # and not one that was published meanwhile
                    yield lent
                    return
        opened = _opened(self._galleries.open(name, build=number))
        try:
            yield opened.build, opened.checkpoint
        finally:
            opened.build.close()

    def only(self) -> str:
        """The gallery that is meant where none is named; raises NothingPublished, AmbiguousGallery."""
        return self._only()[0]

    def let_go(self, name: str) -> None:
        """Closes the build of this gallery once nobody reads it; the next question opens it again."""
        with self._lock:
            shelf = self._shelves.get(name)
        if shelf is not None:
            with shelf.lock:
                _supersede(shelf)

    def let_go_of_all_but(self, names: Collection[str]) -> None:
        """The same for every gallery that has none of these names."""
        with self._lock:
            others = [name for name in self._shelves if name not in names]
        for name in others:
            self.let_go(name)

    def renew(self) -> None:
        """Opens the newer build of each gallery whose open build was replaced, and lets go of the old one.

        So it is not left to the next question, which may never come. What cannot be opened is told to whoever
        asks for it.
        """
        with self._lock:
            names = [name for name, shelf in self._shelves.items() if shelf.current is not None]
        for name in names:
            with suppress(GalleryError), self.lend(name):
                pass

    def close(self) -> None:
        """Closes what nobody reads; what is read is closed by its last reader."""
        with self._lock:
            shelves = list(self._shelves.values())
        for shelf in shelves:
            with shelf.lock:
                _supersede(shelf)

    def _only(self) -> tuple[str, int]:
        """The same, and its published build."""
        published = {each.name: each.build for each in self._galleries.published() if each.build is not None}
        if not published:
            raise NothingPublished("No gallery is published yet; index a folder first.")
        if len(published) > 1 and DEFAULT_GALLERY not in published:
            raise AmbiguousGallery(list(published))
        name = DEFAULT_GALLERY if DEFAULT_GALLERY in published else next(iter(published))
        return name, published[name]

    def _published(self, name: str) -> int:
        try:
            return self._build or self._galleries.published_build(name)
        except (GalleryNotFound, NothingPublished):
            self.let_go(name)  # else what is deleted would wait for whoever has it open
            raise

    def _take(self, shelf: _Shelf, name: str, published: int) -> tuple[_Opened, Checkpoint]:
        with shelf.lock:
            if shelf.current is None or shelf.current.build.number != published:
                opened = _opened(self._galleries.open(name, build=self._build))
                _supersede(shelf)
                shelf.current = opened
                self._observe(name)
            _read_again(shelf.current)
            shelf.current.readers += 1
            return shelf.current, shelf.current.checkpoint

    @staticmethod
    def _give_back(shelf: _Shelf, opened: _Opened) -> None:
        with shelf.lock:
            opened.readers -= 1
            if opened.superseded and not opened.readers:
                opened.build.close()


def _opened(build: Build) -> _Opened:
    """The build with its encoder's checkpoint; closed where that cannot be read."""
    try:
        written = _written(build)  # before it is read: what is written meanwhile is read once more
        return _Opened(build, Checkpoint.load(build.checkpoint), written)
    except BaseException:
        build.close()
        raise


def _read_again(opened: _Opened) -> None:
    """Reads the checkpoint of an open build again where it was replaced."""
    written = _written(opened.build)
    if written not in {None, opened.written}:
        opened.checkpoint = Checkpoint.load(opened.build.checkpoint)
        opened.written = written


def _written(build: Build) -> _Written | None:
    """The state of the record's file; None where it is gone, and what was read of it still holds."""
    try:
        state = (build.checkpoint / RECORD_FILE).stat()
    except OSError:
        return None
    return state.st_ino, state.st_mtime_ns, state.st_size


def _supersede(shelf: _Shelf) -> None:
    if shelf.current is None:
        return
    shelf.current.superseded = True
    if not shelf.current.readers:
        shelf.current.build.close()
    shelf.current = None
