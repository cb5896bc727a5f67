"""What of a home would be left if the power failed now, by what was synchronised so far."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path


class Disk:
    """Remembers each file and folder as it was synchronised last; `fsync` takes the place of `os.fsync`.

    A disk may keep anything else or not: bytes written since, a name given since, in any order.
    """

    def __init__(self) -> None:
        self._files: dict[int, tuple[int, int]] = {}
        self._folders: dict[int, dict[str, int]] = {}

    def fsync(self, descriptor: int) -> None:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            with os.scandir(descriptor) as entries:
                self._folders[status.st_ino] = {entry.name: entry.inode() for entry in entries}
        else:
            self._files[status.st_ino] = (status.st_size, status.st_mtime_ns)

    def lost(self, path: Path, *, below: Path) -> Iterator[str]:
        """What of a file or folder may be gone: its bytes, or a name on the way to it from `below`."""
        if path.is_dir():
            for each in path.iterdir():
                yield from self.lost(each, below=path)
        elif self._files.get(path.stat().st_ino) != (path.stat().st_size, path.stat().st_mtime_ns):
            yield f"the bytes of {path}"
        while path != below:
            named = self._folders.get(path.parent.stat().st_ino, {})
            if named.get(path.name) != path.stat().st_ino:
                yield f"the name {path}"
            path = path.parent
