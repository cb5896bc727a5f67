"""Who has a build open: each reader shares a lock on its manifest, and a collector asks for it alone.

The kernel lets go of a lock when its holder ends, however that comes about, and it holds between processes
and between the threads of one. Where there are no such locks (Windows, some network file systems) nobody
can tell whether a build is read, and so none counts as unread.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

if sys.platform != "win32":
    import fcntl


class Reading:
    """A build's manifest, held so that what the build names stays; until `end`, or the process ends."""

    def __init__(self, manifest: Path) -> None:
        """Waits while a collector has it; FileNotFoundError if there is none."""
        self._stream = manifest.open("rb")
        _share(self._stream)

    def end(self) -> None:
        """Let go of it; again does nothing."""
        self._stream.close()


@contextmanager
def unread(manifest: Path) -> Iterator[bool]:
    """Whether nobody reads the build of this manifest; if so nobody begins to until the block ends.

    A manifest that is not there is read by nobody.
    """
    try:
        stream = manifest.open(
            "r+b"
        )  # a network file system gives a lock to one alone only on files to write
    except FileNotFoundError:
        yield True
        return
    with stream:
        yield _has_alone(stream)


def is_read(manifest: Path) -> bool:
    """Whether somebody reads the build of this manifest now."""
    with unread(manifest) as nobody:
        return not nobody


def _share(stream: BinaryIO) -> None:
    if sys.platform == "win32":
        return
    try:
        fcntl.flock(stream, fcntl.LOCK_SH)
    except OSError:
        return  # no locks here, so no collector gets one alone


def _has_alone(stream: BinaryIO) -> bool:
    if sys.platform == "win32":
        return False
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
