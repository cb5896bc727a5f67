"""Where a gallery is: its folder, and its rows in the records."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from gallery.folders import GalleryFolder


@dataclass(frozen=True, slots=True)
class Site:
    """One gallery, to be read; made by `Galleries.site`."""

    folder: GalleryFolder
    engine: Engine
    gallery_id: int

    @property
    def gallery(self) -> str:
        """The gallery's name."""
        return self.folder.name

    def owns(self, uri: str) -> bool:
        """Whether the file at this uri is an original of the gallery's own: it was uploaded."""
        return Path(uri).is_relative_to(self.folder.uploads)
