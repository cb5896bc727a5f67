"""What a run asks of a source: its files in the order of their uris, each with a way to its bytes.

Folders are such sources (`gallery.sources.scanning`); whatever else lists files needs no more than this.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

Kind = Literal["folder", "table", "list", "shard", "storage", "web"]
"""A folder or file of this machine; three that name or hold images; storage of fsspec; a file of the web."""


@dataclass(frozen=True, slots=True)
class NamedSource:
    """A source as a gallery remembers it: what it is and where, an absolute path or a URI."""

    kind: Kind
    uri: str

    @property
    def path(self) -> Path:
        """Where a source of this machine lies."""
        return Path(self.uri)


@dataclass(frozen=True, slots=True)
class UnlistedFolder:
    """A folder that may not be listed, and why: what lies in it now is not known."""

    uri: str
    reason: str


class SourceFile(Protocol):
    """A file as a source has found it, not read yet.

    `version` is what changes whenever the bytes do (a modification time, an ETag), None where nobody can say
    yet that they stay; `size` is in bytes, None where it is not known. A file is not read again where both
    are what was seen last.
    """

    @property
    def uri(self) -> str:
        """Where it is; text that any database can keep."""

    @property
    def label(self) -> str | None:
        """What it shows, as the source says."""

    @property
    def size(self) -> int | None:
        """Bytes, if that is known without reading it."""

    @property
    def version(self) -> str | None:
        """What changes whenever the bytes do."""

    @property
    def attributes(self) -> Mapping[str, str]:
        """What the source says of it besides, by name."""

    def read(self, *, most: int) -> bytes:
        """Its bytes, at most one more than `most`. Raises OriginalUnavailable with the reason."""


@runtime_checkable
class Naming(Protocol):
    """A source that can be asked whether it names a file."""

    def __contains__(self, uri: str) -> bool:
        """Whether it names the file at this uri."""


class Source(Protocol):
    """Something that lists files, each uri once, in ascending order of the uris' code points."""

    @property
    def uri(self) -> str:
        """The name that the gallery remembers it by."""

    @property
    def kind(self) -> Kind:
        """What it is."""

    @property
    def is_listing(self) -> bool:
        """Whether it names files wherever they lie, rather than holding all below its uri.

        What is missing from it now has ended: of a folder whatever lies below its uri, of a listing whatever
        was found through it before.
        """

    def files(self, *, leave_out: Callable[[UnlistedFolder], None]) -> Iterator[SourceFile]:
        """What it holds now; a folder that cannot be looked into is told to `leave_out`."""
