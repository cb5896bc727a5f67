"""Files of sources that are named from outside: each is looked at once more where it is opened.

A link in an allowed folder may lead out of it, and a table may be changed after it was looked at.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from gallery.errors import OriginalUnavailable
from gallery.sources.allowed import AllowedSources
from gallery.sources.found import ListedFile
from gallery.sources.opening import LocalFile, RemoteFile, ShardMember, WebFile
from gallery.sources.scanning import FolderSource, ScannedFile
from gallery.sources.source import Kind, SourceFile, UnlistedFolder


@dataclass(frozen=True, slots=True)
class AllowedFile:
    """A file (a SourceFile) that is read only while it lies, links followed, where it may."""

    file: SourceFile
    allowed: AllowedSources

    @property
    def uri(self) -> str:
        """The file's."""
        return self.file.uri

    @property
    def label(self) -> str | None:
        """The file's."""
        return self.file.label

    @property
    def size(self) -> int | None:
        """The file's."""
        return self.file.size

    @property
    def version(self) -> str | None:
        """The file's."""
        return self.file.version

    @property
    def attributes(self) -> Mapping[str, str]:
        """The file's."""
        return self.file.attributes

    def read(self, *, most: int) -> bytes:
        """Its bytes, at most one more than `most`. Raises OriginalUnavailable with the reason."""
        place = place_of(self.file)
        if place is not None and place not in self.allowed:
            raise OriginalUnavailable("it leads to where nothing may be imported from")
        return self.file.read(most=most)


@dataclass(frozen=True, slots=True)
class AllowedFolder:
    """A folder as a Source of allowed files."""

    folder: FolderSource
    allowed: AllowedSources
    is_listing: bool = False
    kind: Kind = "folder"

    @property
    def uri(self) -> str:
        """The folder's."""
        return self.folder.uri

    def files(self, *, leave_out: Callable[[UnlistedFolder], None]) -> Iterator[SourceFile]:
        """What lies in it; raises SourceUnavailable if it cannot be listed."""
        for file in self.folder.files(leave_out=leave_out):
            yield AllowedFile(file, self.allowed)


def place_of(file: SourceFile) -> str | None:
    """The path or URI of the file that is opened to read this one; None where none will be."""
    if isinstance(file, ScannedFile):
        return str(file.path)
    if not isinstance(file, ListedFile):
        return file.uri
    match file.at:
        case ShardMember(shard=LocalFile(path)) | LocalFile(path):
            return path
        case ShardMember(shard=RemoteFile(url)) | RemoteFile(url) | WebFile(url):
            return url
    return None  # of a faulty one nothing is opened
