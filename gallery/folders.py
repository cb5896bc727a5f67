"""Where a gallery's files lie below the home."""

import re
from dataclasses import dataclass
from pathlib import Path

from gallery.errors import InvalidGalleryName

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


@dataclass(frozen=True, slots=True)
class GalleryFolder:
    """The folder of one gallery; raises InvalidGalleryName for a name that is none."""

    home: Path
    name: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InvalidGalleryName(
                f"{self.name!r} cannot name a gallery: use 1 to 63 of a–z, 0–9, '.', '_' and '-', "
                "beginning with a letter or a digit."
            )

    @property
    def path(self) -> Path:
        """All of the gallery."""
        return self.home / "galleries" / self.name

    @property
    def segments(self) -> Path:
        """One folder per segment."""
        return self.path / "segments"

    @property
    def indexes(self) -> Path:
        """One folder per main index."""
        return self.path / "indexes"

    @property
    def builds(self) -> Path:
        """One manifest per build."""
        return self.path / "builds"

    @property
    def encoders(self) -> Path:
        """`<fingerprint>/<digest of the files>/`: a recalibrated encoder lies beside the old one."""
        return self.path / "encoders"

    @property
    def uploads(self) -> Path:
        """The originals that are the gallery's own, a folder for each upload."""
        return self.path / "uploads"

    def segment(self, name: str) -> Path:
        """The folder of a segment."""
        return self.segments / name

    def index(self, name: str) -> Path:
        """The folder of a main index."""
        return self.indexes / name

    def manifest(self, build: int) -> Path:
        """The manifest of a build."""
        return self.builds / f"{build}.json"

    def encoder(self, folder: str) -> Path:
        """A checkpoint, by the name that records give it."""
        return self.encoders / folder
