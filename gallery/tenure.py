"""The right to write one gallery: where it is, and its lease."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine

from gallery.database import writing
from gallery.folders import GalleryFolder
from gallery.leases import Lease
from gallery.site import Site


@dataclass(frozen=True, slots=True)
class Tenure:
    """Held by one at a time; made by `Galleries.tenure`."""

    site: Site
    lease: Lease
    clock: Callable[[], datetime]

    @property
    def gallery(self) -> str:
        """The gallery's name."""
        return self.site.gallery

    @property
    def folder(self) -> GalleryFolder:
        """Where its files are."""
        return self.site.folder

    @property
    def engine(self) -> Engine:
        """Where its records are."""
        return self.site.engine

    @property
    def gallery_id(self) -> int:
        """Its row."""
        return self.site.gallery_id

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes; raises GalleryLocked once another one has taken the gallery over."""
        with writing(self.engine) as connection:
            self.lease.confirm(connection)
            yield connection
