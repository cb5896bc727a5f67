"""A backup's members on disk, every one compared with its checksum, in a folder that is no gallery yet."""

import json
import shutil
import tarfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from errno import ENOENT
from pathlib import Path, PurePosixPath
from typing import IO

from pydantic import ValidationError

from gallery.backups.backup import CHECKSUMS, CONTENTS, Contents, Hashed
from gallery.builds.readers import Reading, unread
from gallery.errors import CorruptBackup
from gallery.files import make_folder, synchronise
from gallery.records.base import SCHEMA_REVISION

RESTORING = ".restoring-"
LOCK = "lock"
FOLDERS = frozenset({"rows", "builds", "encoders", "segments", "uploads"})
"""What a backup's members lie in."""

ONE_STEP = 2**20
"""Bytes that are copied at a time."""


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A backup's files below `folder`, whole and durable."""

    contents: Contents
    folder: Path
    files: int

    def rows(self, table: str) -> Path:
        """The rows of one table."""
        return self.folder / "rows" / f"{table}.jsonl"


@contextmanager
def unpacked(backup: Path, home: Path) -> Iterator[Unpacked]:
    """The backup's files, until the block ends; raises FileNotFoundError and CorruptBackup."""
    if not backup.is_file():
        way_out = "there is no backup; name a file that `whyalike gallery backup` wrote"
        raise FileNotFoundError(ENOENT, way_out, str(backup))
    remove_restoring(home)
    folder = home / "galleries" / f"{RESTORING}{uuid.uuid4().hex}"
    make_folder(folder)
    (folder / LOCK).touch()
    lock = Reading(folder / LOCK)
    try:
        with backup.open("rb") as stream:
            contents, checksums = _unpack(stream, folder, backup)
        for path in (*folder.rglob("*"), folder):
            synchronise(path)
        yield Unpacked(contents, folder, len(checksums))
    finally:
        lock.end()
        shutil.rmtree(folder, ignore_errors=True)


def remove_restoring(home: Path) -> None:
    """Remove what restorations that were killed have left."""
    for folder in (home / "galleries").glob(f"{RESTORING}*"):
        with unread(folder / LOCK) as nobody:
            if nobody:
                shutil.rmtree(folder, ignore_errors=True)


def _unpack(stream: IO[bytes], folder: Path, backup: Path) -> tuple[Contents, dict[str, str]]:
    found: dict[str, str] = {}
    claimed: dict[str, str] | None = None
    try:
        with tarfile.open(fileobj=stream, mode="r|") as tar:
            for member in tar:
                data = tar.extractfile(member)
                if data is None or claimed is not None:
                    raise _corrupt(backup, f"{member.name!r} does not belong in it")
                if member.name == CHECKSUMS:
                    claimed = json.load(data)
                else:
                    found[member.name] = _write(data, folder / _safe(member.name, backup))
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise _corrupt(backup, f"it is no whole tar of ours ({error})") from error
    if claimed is None:
        raise _corrupt(backup, "it ends too early")
    if different := {name for name in {*found, *claimed} if found.get(name) != claimed.get(name)}:
        raise _corrupt(backup, f"{min(different)} is missing or is not what was written")
    return _contents(folder / CONTENTS, backup), found


def _write(data: IO[bytes], path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    hashed = Hashed(data)
    with path.open("xb") as stream:
        while block := hashed.read(ONE_STEP):
            stream.write(block)
    return hashed.sha256


def _safe(name: str, backup: Path) -> PurePosixPath:
    """The member's place below the folder: a hostile one must not get out of it."""
    path = PurePosixPath(name)
    if name != CONTENTS and (path.is_absolute() or ".." in path.parts or path.parts[0] not in FOLDERS):
        raise _corrupt(backup, f"{name!r} does not belong in it")
    return path


def _contents(path: Path, backup: Path) -> Contents:
    try:
        contents = Contents.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise _corrupt(backup, f"its {CONTENTS} is none that this version knows") from error
    if contents.schema_revision != SCHEMA_REVISION:
        raise _corrupt(
            backup,
            f"its rows are of schema {contents.schema_revision} where this version has {SCHEMA_REVISION}: "
            "restore it with the version that wrote it, and `whyalike migrate` its database",
        )
    return contents


def _corrupt(backup: Path, reason: str) -> CorruptBackup:
    return CorruptBackup(f"The backup {backup} cannot be restored: {reason}.")
