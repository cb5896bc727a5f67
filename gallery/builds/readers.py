"""Who has a build open: each reader shares a lock on its manifest, and a collector asks for it alone.

The kernel lets go of a lock when its holder ends, however that comes about, and it holds between processes
and between the threads of one. Where there are no such locks (Windows, some network file systems) nobody
can tell whether a build is read, and so none counts as unread.
"""

import os
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
        while True:
            self._stream = manifest.open("rb")
            _share(self._stream)
            if _is_there(manifest, self._stream):
                return
            self._stream.close()  # a collector removed it meanwhile, or it was written again

    def end(self) -> None:
        """Let go of it; again does nothing."""
        self._stream.close()


@contextmanager
def unread(manifest: Path) -> Iterator[bool]:
    """Whether nobody reads the build of this manifest; if so nobody begins to until the block ends.

    A manifest that is not there is read by nobody.
    """
    try:
        stream = manifest.open("r+b")  # on a network file system, alone has only who may write
    except FileNotFoundError:
        yield True
        return
    with stream:
        yield _has_alone(stream) and _is_there(manifest, stream)


def is_read(manifest: Path) -> bool:
    """Whether somebody reads the build of this manifest now."""
    with unread(manifest) as nobody:
        return not nobody


def _is_there(manifest: Path, stream: BinaryIO) -> bool:
    """Whether what was opened is still what lies there: a lock on another file keeps nobody away."""
    try:
        return os.path.samestat(manifest.stat(), os.fstat(stream.fileno()))
    except FileNotFoundError:
        return False


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
