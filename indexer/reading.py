"""One file at a time: its bytes, their name, and what of them the encoder and the gallery need."""

import threading
from collections.abc import Container, Iterable
from dataclasses import dataclass

from gallery.errors import OriginalUnavailable
from gallery.scanning import checksum
from gallery.source import SourceFile
from indexer.thumbnails import thumbnail
from siamese.encoder import Encoder, Prepared
from siamese.errors import UnreadableImage
from siamese.images import ImageLimits, decode


@dataclass(frozen=True, slots=True, eq=False)
class PreparedContent:
    """Content that waits to be embedded: its upright size in pixels, its tensor, its thumbnail (JPEG)."""

    checksum: str
    width: int
    height: int
    prepared: Prepared
    thumbnail: bytes


@dataclass(frozen=True, slots=True, eq=False)
class ReadFile:
    """A file and the name of its content; `content` only where this file is the first to show it."""

    file: SourceFile
    checksum: str
    content: PreparedContent | None


@dataclass(frozen=True, slots=True)
class UnreadFile:
    """A file that holds no image, and why; `checksum` is None where its bytes could not be read."""

    file: SourceFile
    checksum: str | None
    reason: str


class Reader:
    """Reads files for one run, from many threads: each file once, each content decoded once.

    So what is embedded is what was named, even if the file changes while the run goes on.
    """

    def __init__(
        self, encoder: Encoder, *, known: Container[str], limits: ImageLimits, thumbnail_quality: int
    ) -> None:
        """`known` are the checksums of contents that need not be decoded."""
        self._encoder = encoder
        self._known = known
        self._claimed: set[str] = set()
        self._lock = threading.Lock()
        self._limits = limits
        self._thumbnail_quality = thumbnail_quality

    def read(self, file: SourceFile) -> ReadFile | UnreadFile:
        """What the file holds now, or what is wrong with it; raises nothing."""
        found = None
        try:
            data = file.read(most=self._limits.max_bytes)
            found = checksum(data)
            return ReadFile(file, found, self._prepare(data, found) if self._claim(found) else None)
        except OriginalUnavailable as error:
            return UnreadFile(file, None, str(error))
        except UnreadableImage as error:
            self.release([found] if found else [])
            return UnreadFile(file, found, error.reason)
        except Exception as error:  # noqa: BLE001 - one hostile file must not end a run of a million
            self.release([found] if found else [])
            return UnreadFile(file, found, f"it cannot be read ({type(error).__name__}: {error})")

    def release(self, checksums: Iterable[str]) -> None:
        """These contents are known now, or can be known by nobody: others need not wait for them."""
        with self._lock:
            self._claimed.difference_update(checksums)

    def _claim(self, found: str) -> bool:
        """Whether nobody has this content yet; from now on, until it is released, somebody has."""
        with self._lock:
            if found in self._claimed:
                return False
            self._claimed.add(found)
        if found in self._known:
            self.release([found])
            return False
        return True

    def _prepare(self, data: bytes, found: str) -> PreparedContent:
        image = decode(data, limits=self._limits)
        small = thumbnail(image, self._encoder.preprocessing, quality=self._thumbnail_quality)
        return PreparedContent(found, image.width, image.height, self._encoder.prepare(image), small)
