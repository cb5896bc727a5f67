"""One file at a time: its bytes, their name, and what of them the encoder and the gallery need."""

import threading
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from functools import partial

from gallery.errors import OriginalUnavailable
from gallery.sources.scanning import checksum
from gallery.sources.source import SourceFile
from indexer.decoding import Decoded, Decoding, decoded
from siamese.encoder import Encoder
from siamese.errors import UnreadableImage
from siamese.images import ImageLimits


@dataclass(frozen=True, slots=True, eq=False)
class ReadFile:
    """A file and the name of its content; `content` only where this file is the first to show it."""

    file: SourceFile
    checksum: str
    content: Decoded | None


@dataclass(frozen=True, slots=True)
class UnreadFile:
    """A file that holds no image, and why; `checksum` is None where its bytes could not be read."""

    file: SourceFile
    checksum: str | None
    reason: str


def decoding(encoder: Encoder, *, limits: ImageLimits, thumbnail_quality: int | None) -> Decoding:
    """How images are decoded for this encoder."""
    return Decoding(
        preprocessing=encoder.preprocessing,
        grid=encoder.grid,
        limits=limits,
        thumbnail_quality=thumbnail_quality,
    )


class Reader:
    """Reads files for one run, from many threads: each file once, each content decoded once.

    So what is embedded is what was named, even if the file changes while the run goes on.
    """

    def __init__(
        self,
        encoder: Encoder,
        *,
        known: Container[str],
        limits: ImageLimits,
        thumbnail_quality: int,
        decode: Callable[[bytes], Decoded] | None = None,
    ) -> None:
        """`known` are the checksums of contents that need not be decoded; `decode` does that elsewhere."""
        how = decoding(encoder, limits=limits, thumbnail_quality=thumbnail_quality)
        self._decode = decode or partial(decoded_here, how=how)
        self._known = known
        self._claimed: set[str] = set()
        self._lock = threading.Lock()
        self._limits = limits

    def read(self, file: SourceFile) -> ReadFile | UnreadFile:
        """What the file holds now, or what is wrong with it.

        What raises is no fault of the file: a database that is gone, a decoder that cannot be started.
        """
        try:
            data = file.read(most=self._limits.max_bytes)
        except OriginalUnavailable as error:
            return UnreadFile(file, None, str(error))
        except Exception as error:  # noqa: BLE001 - one hostile file must not end a run of a million
            return UnreadFile(file, None, f"it cannot be read ({type(error).__name__}: {error})")
        found = checksum(data)
        if not self._claim(found):
            return ReadFile(file, found, None)
        try:
            return ReadFile(file, found, self._decode(data))
        except UnreadableImage as error:
            self.release([found])
            return UnreadFile(file, found, error.reason)

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


def decoded_here(data: bytes, *, how: Decoding) -> Decoded:
    """The image in the bytes; raises UnreadableImage for whatever a decoder raises."""
    try:
        return decoded(data, how)
    except UnreadableImage:
        raise
    except Exception as error:
        raise UnreadableImage(f"it cannot be read ({type(error).__name__}: {error})") from error
