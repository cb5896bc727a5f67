"""A gallery of made-up contents; its embeddings are random numbers, seeded by the content's bytes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
from sqlalchemy import Engine

from gallery.builds.build import Build
from gallery.builds.image import GalleryImage
from gallery.builds.publication import PublishReport
from gallery.database import open_engine
from gallery.difference import Place
from gallery.galleries import Galleries
from gallery.segments.segment import EmbeddedContent
from gallery.sources.scanning import checksum
from gallery.surveys.seen import Unreadable
from gallery.writer import GalleryWriter
from tests.homes import database_of

GRID = (2, 3)
DIMENSION = 5
FINGERPRINT = "f1"
NAME = "pictures"


def embedded(data: bytes, *, seed: int = 0, dimension: int = DIMENSION) -> EmbeddedContent:
    """What the made-up encoder `seed` makes of these bytes."""
    numbers = np.random.default_rng([seed, *data])
    local = numbers.standard_normal((*GRID, dimension), dtype=np.float32)
    mean = local.mean(axis=(0, 1))
    embedding = (mean / np.linalg.norm(mean)).astype(np.float32)
    return EmbeddedContent(checksum(data), 40, 30, embedding, local, b"JPEG of " + data)


class Clock:
    """A time that stands still until it is told to pass."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 12, 0, tzinfo=timezone.utc)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, time: timedelta) -> None:
        self.now += time


@dataclass
class Trial:
    """One home with one database; `files` are what a scan would find: uri to bytes, label = parent folder."""

    home: Path
    engine: Engine
    galleries: Galleries
    clock: Clock

    @classmethod
    def at(cls, home: Path, clock: Clock | None = None) -> "Trial":
        clock = clock or Clock()
        engine = open_engine(database_of(home))
        return cls(home, engine, Galleries(home, engine, clock=clock), clock)

    @property
    def folder(self) -> Path:
        return self.home / "galleries" / NAME

    def writer(self) -> AbstractContextManager[GalleryWriter]:
        return self.galleries.writer(NAME)

    def open(self) -> Build:
        return self.galleries.open(NAME)

    def run(
        self,
        files: Mapping[str, bytes],
        *,
        roots: Sequence[str] = ("/r",),
        unreadable: Sequence[Unreadable] = (),
        seed: int = 0,
        batch: int = 2,
        allow_empty: bool = False,
        progress: Callable[[str], None] = lambda _: None,
    ) -> PublishReport:
        """What the indexer does, without pictures; `progress` is told of each content that is embedded."""
        fingerprint = f"f{seed + 1}"
        with self.writer() as writer:
            writer.keep_checkpoint(checkpoint(self.home, seed), fingerprint)
            done = writer.embedded(fingerprint)
            todo = sorted(
                {checksum(data): data for data in files.values() if checksum(data) not in done}.items()
            )
            for start in range(0, len(todo), batch):
                contents = [embedded(data, seed=seed) for _, data in todo[start : start + batch]]
                writer.add_segment(contents, fingerprint=fingerprint)
                for content in contents:
                    progress(content.checksum)
            return writer.publish(
                places(files),
                roots=[Path(root) for root in roots],
                unreadable=unreadable,
                fingerprint=fingerprint,
                encoder_name=f"toy {seed}",
                allow_empty=allow_empty,
            )


def checkpoint(home: Path, seed: int) -> Path:
    """A folder that stands for the checkpoint of encoder `seed`."""
    folder = home / f"checkpoint-{seed}"
    folder.mkdir(exist_ok=True)
    (folder / "checkpoint.json").write_text(f'{{"seed": {seed}}}')
    (folder / "weights").mkdir(exist_ok=True)
    (folder / "weights" / "numbers.bin").write_bytes(bytes([seed]) * 10)
    return folder


def places(files: Mapping[str, bytes]) -> list[Place]:
    return [Place(uri, Path(uri).parent.name, checksum(data)) for uri, data in files.items()]


def ids(build: Build, uris: Iterable[str] | None = None) -> dict[str, int]:
    """Uri to image_id, as a full search sees it."""
    found = {image.uri: image.image_id for image in images(build)}
    return found if uris is None else {uri: found[uri] for uri in uris}


def images(build: Build) -> list[GalleryImage]:
    """Every image of the build, by way of a search for all of them."""
    query = np.zeros(build.dimension, np.float32)
    candidates = build.search(query, count=10_000, fingerprint=build.fingerprint)
    return sorted(build.images([each.image_id for each in candidates]), key=lambda image: image.uri)


def files_below(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Relative path to (inode, bytes) of every file."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_ino, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
