"""Files that survive a power cut: written under another name, synchronised with their folder, then renamed.

Whatever is being written has a name that begins with `.unfinished-`, so that the next writer knows it.
"""

import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UNFINISHED = ".unfinished-"


@contextmanager
def new_folder(final: Path) -> Iterator[Path]:
    """Give a folder to fill; on leaving it becomes `final`, whole; FileExistsError if that exists."""
    make_folder(final.parent)
    unfinished = final.parent / f"{UNFINISHED}{uuid.uuid4().hex}"
    unfinished.mkdir()
    yield unfinished
    for path in sorted(unfinished.rglob("*")):
        synchronise(path)
    synchronise(unfinished)
    if final.exists():
        raise FileExistsError(f"{final} exists already and is never written again.")
    unfinished.rename(final)
    synchronise(final.parent)


def write_file(final: Path, data: bytes) -> None:
    """Put a whole file in the place of whatever is there."""
    make_folder(final.parent)
    unfinished = final.parent / f"{UNFINISHED}{uuid.uuid4().hex}"
    unfinished.write_bytes(data)
    synchronise(unfinished)
    unfinished.replace(final)
    synchronise(final.parent)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, durably."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    synchronise(folder.parent)


def synchronise(path: Path) -> None:
    """Wait until a file's or folder's content is on the disk."""
    if path.is_dir() and os.name == "nt":
        return  # Windows cannot open folders; its renames are journalled
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() or os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(path: Path) -> None:
    """Remove a file or a whole folder, if it is there; a folder vanishes under its name at once."""
    if path.is_dir():
        shutil.rmtree(path if path.name.startswith(UNFINISHED) else put_aside(path))
    else:
        path.unlink(missing_ok=True)


def put_aside(folder: Path) -> Path:
    """Give a folder that is to be removed a name that says so; returns where it is now."""
    return folder.rename(folder.parent / f"{UNFINISHED}{uuid.uuid4().hex}")


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, read in blocks, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(2**20):
            digest.update(block)
    return digest.hexdigest()
