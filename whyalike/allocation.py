"""Memory of a process of many threads that runs for long: who hands it out, and what is looked through."""

from __future__ import annotations

import ctypes
import gc
import os

ARENAS = 2
"""By default glibc has up to eight for each core, and each keeps what was freed in it: memory then grows with
the number of threads that were ever busy at the same time."""
M_ARENA_MAX = -8
"""The number of this option in glibc's malloc.h."""
OWN_CHOICE = "MALLOC_ARENA_MAX"


def share_arenas() -> None:
    """Threads share few arenas from now on, so that what one frees another one uses.

    Nothing is changed where the C library knows no such option, or where the environment chooses a number.
    """
    choose = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if choose is not None and OWN_CHOICE not in os.environ:
        choose(M_ARENA_MAX, ARENAS)


def settle() -> None:
    """What lives now is taken to live until the end, and the collector looks through it no more.

    Imported modules alone are 350,000 objects, and whenever it looked through them all, everybody waited for
    some tenths of a second.
    """
    gc.collect()
    gc.freeze()
