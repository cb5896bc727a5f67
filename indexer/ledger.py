"""What a run has learned of every file: a place in the gallery, or a reason why it has none."""

from collections.abc import Iterable, Iterator

from gallery.difference import Place
from gallery.publication import Unreadable
from gallery.scanning import ScannedFile, UnlistedFolder
from indexer.reading import PreparedContent, ReadFile, UnreadFile

NAMESAKE = "another file's name is the same when written as UTF-8"


class Ledger:
    """Every file is entered once; it ends as a place or as unreadable, never as both.

    Content may turn out to be unusable after other files that hold it were entered, so which is which is
    only certain at the end of the run.
    """

    def __init__(self) -> None:
        self._places: dict[str, Place] = {}
        self._unread: dict[str, Unreadable] = {}
        self._refused: dict[str, str] = {}
        self._unlisted: dict[str, Unreadable] = {}

    def enter(self, files: Iterable[ReadFile | UnreadFile]) -> Iterator[PreparedContent]:
        """Enter each file, and pass on the content of those whose content is new."""
        for file in files:
            if isinstance(file, ReadFile):
                self._enter_place(file.file, file.checksum)
                if file.content is not None:
                    yield file.content
            elif file.checksum is None:
                self._enter_unread(file.file, None, file.reason)
            else:
                self._enter_place(file.file, file.checksum)
                self.refuse(file.checksum, file.reason)

    def refuse(self, checksum: str, reason: str) -> None:
        """No file that holds this content can be in the gallery."""
        self._refused[checksum] = reason

    def leave_out(self, folder: UnlistedFolder) -> None:
        """What lies in the folder is not known, so that it stays as it was."""
        self._unlisted[folder.uri] = Unreadable(folder.uri, None, folder.reason)

    def places(self) -> list[Place]:
        """Where content was found that can be in the gallery."""
        return [place for place in self._places.values() if place.checksum not in self._refused]

    def unreadable(self) -> list[Unreadable]:
        """The files that cannot be in the gallery and the folders left out, in the order of their uris."""
        refused = {
            place.uri: Unreadable(place.uri, place.checksum, self._refused[place.checksum])
            for place in self._places.values()
            if place.checksum in self._refused
        }
        return sorted({**refused, **self._unread, **self._unlisted}.values(), key=lambda each: each.uri)

    def unlisted(self) -> list[str]:
        """The uris of the folders left out."""
        return sorted(self._unlisted)

    def _enter_place(self, file: ScannedFile, checksum: str) -> None:
        if file.uri in self._places:  # names that are not UTF-8 are escaped, so two may become one
            self._enter_unread(file, checksum, NAMESAKE)
        else:
            self._places[file.uri] = Place(file.uri, file.label, checksum)

    def _enter_unread(self, file: ScannedFile, checksum: str | None, reason: str) -> None:
        self._unread[file.uri] = Unreadable(file.uri, checksum, reason)
