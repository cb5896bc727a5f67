"""The processes that another one has started: who has ended may leave none behind."""

import contextlib
from pathlib import Path


def children(parent: int, word: str) -> list[int]:
    """The processes that `parent` started with this word in their command, as /proc of Linux tells them."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            ancestor = (process / "stat").read_text().rpartition(")")[2].split()[1]
            if int(ancestor) == parent and word.encode() in (process / "cmdline").read_bytes():
                found.append(int(process.name))
    return found
