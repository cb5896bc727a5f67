"""A gallery as one file: a tar of its rows, its manifests, checkpoints and segments, with their checksums.

backup.json          what it is (`Contents` below)
rows/<table>.jsonl   the rows of one table, a line each
builds/<number>.json, encoders/…, segments/<name>/…, uploads/<name>/…   the gallery's files, as they are
checksums.json       the SHA-256 of every member before it
"""

import hashlib
import io
import json
import os
import tarfile
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from errno import EEXIST
from pathlib import Path
from typing import IO, BinaryIO, Literal

from pydantic import BaseModel, ConfigDict

from gallery.backups.dump import Written, tables, write_rows
from gallery.builds.republication import manifest_of
from gallery.builds.snapshot import Snapshot, snapshot
from gallery.errors import CorruptGallery, NothingPublished
from gallery.files import UNFINISHED, make_folder, synchronise
from gallery.folders import GalleryFolder
from gallery.manifest import Manifest
from gallery.records.base import SCHEMA_REVISION
from gallery.site import Site

CONTENTS = "backup.json"
CHECKSUMS = "checksums.json"


class Contents(BaseModel):
    """What a backup says of itself; `rows` has the number and the span of ids of each table's rows.

    `uploads` is where the originals of the gallery's own lay, None in a backup that was written without them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: Literal[1] = 1
    schema_revision: str
    gallery: str
    written_at: datetime
    builds: list[int]
    rows: dict[str, Written]
    uploads: str | None = None


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What was written; `images` are those of the published build, `bytes` is the size of the file."""

    gallery: str
    path: str
    builds: tuple[int, ...]
    images: int
    files: int
    bytes: int


def back_up(site: Site, path: Path, *, at: datetime) -> BackupReport:
    """Write all kept builds of a gallery into a new file, whole or not at all; others may read and write it.

    Every file of a segment is compared with its checksum on the way. Raises FileExistsError, NothingPublished
    for a gallery without a build, and CorruptGallery.
    """
    if path.exists():
        raise _taken(path)
    make_folder(path.absolute().parent)
    unfinished = path.absolute().parent / f"{UNFINISHED}{uuid.uuid4().hex}"
    try:
        with snapshot(site) as now, unfinished.open("xb") as stream:
            manifests = [manifest_of(site, build) for build in now.builds]
            if not manifests:
                raise NothingPublished(
                    f"The gallery {site.gallery!r} has no published build yet; there is nothing to back up."
                )
            files = _write(stream, now, manifests, at=at)
        synchronise(unfinished)
        _place(unfinished, path)
        synchronise(path.absolute().parent)
    finally:
        unfinished.unlink(missing_ok=True)
    return BackupReport(
        gallery=site.gallery,
        path=str(path),
        builds=tuple(manifest.build for manifest in manifests),
        images=manifests[-1].images,
        files=files,
        bytes=path.stat().st_size,
    )


def _place(unfinished: Path, path: Path) -> None:
    """Let it be found under its name, and write over nothing that has come there since."""
    try:
        path.hardlink_to(unfinished)
    except FileExistsError as error:
        raise _taken(path) from error
    except OSError:  # no links on this file system
        if path.exists():
            raise _taken(path) from None
        unfinished.rename(path)


def _taken(path: Path) -> FileExistsError:
    return FileExistsError(EEXIST, "There is a file already; name another one, or remove it", str(path))


def _write(stream: BinaryIO, now: Snapshot, manifests: list[Manifest], *, at: datetime) -> int:
    site = now.site
    with tempfile.TemporaryDirectory() as folder, tarfile.open(fileobj=stream, mode="w|") as tar:
        written = {
            table.name: write_rows(now.connection, table, site.gallery_id, Path(folder) / table.name)
            for table in tables()
        }
        archive = Archive(tar)
        contents = Contents(
            schema_revision=SCHEMA_REVISION,
            gallery=site.gallery,
            written_at=at,
            builds=[manifest.build for manifest in manifests],
            rows=written,
            uploads=str(site.folder.uploads),
        )
        archive.add_data(CONTENTS, contents.model_dump_json(indent=1).encode())
        for name in written:
            archive.add_file(f"rows/{name}.jsonl", Path(folder) / name)
        for path, sha256 in _files(site.folder, manifests):
            archive.add_file(path.relative_to(site.folder.path).as_posix(), path, sha256=sha256)
        for path in _uploaded(site.folder):
            archive.add_original(path.relative_to(site.folder.path).as_posix(), path)
        archive.add_data(CHECKSUMS, json.dumps(archive.checksums, indent=1).encode())
        return len(archive.checksums)


def _files(folder: GalleryFolder, manifests: list[Manifest]) -> Iterator[tuple[Path, str | None]]:
    """The files that the builds name, each once, with the checksum that is claimed of it."""
    for manifest in manifests:
        yield folder.manifest(manifest.build), None
    for name in sorted({manifest.encoder.folder for manifest in manifests}):
        yield from ((path, None) for path in sorted(folder.encoder(name).rglob("*")) if path.is_file())
    segments = {segment.name: segment for manifest in manifests for segment in manifest.segments}
    for name, segment in sorted(segments.items()):
        for file, claims in sorted(segment.files.items()):
            yield folder.segment(name) / file, claims.sha256


def _uploaded(folder: GalleryFolder) -> Iterator[Path]:
    """The originals of the gallery's own, but for what is being received."""
    for upload in sorted(folder.uploads.glob("*")):
        if not upload.name.startswith(UNFINISHED):
            files = (path for path in sorted(upload.rglob("*")) if path.is_file())
            yield from (path for path in files if not path.name.startswith(UNFINISHED))


class Archive:
    """A tar that is written in one go; `checksums` are those of its members so far."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self.checksums: dict[str, str] = {}

    def add_data(self, name: str, data: bytes) -> None:
        """Add a member of these bytes."""
        self._add(name, io.BytesIO(data), len(data))

    def add_file(self, name: str, path: Path, *, sha256: str | None = None) -> None:
        """Add a file; raises CorruptGallery if it is missing or its bytes are not those that are claimed."""
        try:
            with path.open("rb") as stream:
                self._add(name, stream, os.fstat(stream.fileno()).st_size)
        except FileNotFoundError as error:
            raise _damaged(path) from error
        if sha256 not in {None, self.checksums[name]}:
            raise _damaged(path)

    def add_original(self, name: str, path: Path) -> None:
        """Add a file unless it is there no more: a person has removed the image meanwhile."""
        with suppress(FileNotFoundError), path.open("rb") as stream:
            self._add(name, stream, os.fstat(stream.fileno()).st_size)

    def _add(self, name: str, stream: BinaryIO, size: int) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode = size, 0o644
        hashed = Hashed(stream)
        self._tar.addfile(member, hashed)
        self.checksums[name] = hashed.sha256


class Hashed(io.RawIOBase):
    """A stream that remembers the SHA-256 of what was read of it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        data = self._stream.read(size)
        self._digest.update(data)
        return data

    @property
    def sha256(self) -> str:
        """64 hexadecimal digits."""
        return self._digest.hexdigest()


def _damaged(path: Path) -> CorruptGallery:
    return CorruptGallery(
        f"{path} is missing or is not what was written, so there is no backup; "
        "`whyalike gallery repair` mends what it can."
    )
