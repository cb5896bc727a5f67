"""The decoding processes that run: who has ended may leave none behind."""

import contextlib
import os
from pathlib import Path


def decoders() -> list[int]:
    """The decoding processes that this one has started, as /proc of Linux tells them."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
            if (
                int(parent) == os.getpid()
                and b"indexer.decoding_worker" in (process / "cmdline").read_bytes()
            ):
                found.append(int(process.name))
    return found
