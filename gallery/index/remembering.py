"""What was made of something, kept for those who ask again, within a bound on its bytes."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

MOST_BYTES = 2**28
"""Of one kind of thing for one build: the broadest filter of ten million contents takes 172 MB, and the same
of a hundred thousand 2 MB."""

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Remembered(Generic[K, T]):
    """What was made of the keys used last, up to `most_bytes`, the newest in any case; for many threads."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.bytes = 0
        self._most_bytes = most_bytes
        self._made: OrderedDict[K, tuple[T, int]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, key: K) -> T | None:
        """What is kept for this key, if anything is."""
        with self._lock:
            if key not in self._made:
                return None
            self._made.move_to_end(key)
            return self._made[key][0]

    def keep(self, key: K, made: T, *, size: int) -> T:
        """Keep it, of so many bytes, in place of what was used longest ago; returns it."""
        with self._lock:
            _, before = self._made.pop(key, (None, 0))
            self._made[key] = made, size
            self.bytes += size - before
            while self.bytes > self._most_bytes and len(self._made) > 1:
                _, (_, freed) = self._made.popitem(last=False)
                self.bytes -= freed
        return made


class OfArrays(Generic[T]):
    """What was made of the read-only arrays of ids used last.

    An array is known again by being the same object, which costs nothing; it is held so that it stays so,
    and its own bytes count.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._remembered: Remembered[int, tuple[NDArray[np.int64], T]] = Remembered(most_bytes)

    @property
    def bytes(self) -> int:
        """What is held."""
        return self._remembered.bytes

    def of(self, ids: NDArray[np.int64]) -> T | None:
        """What is kept for this array, if anything is."""
        held = self._remembered.of(id(ids))
        return None if held is None else held[1]

    def keep(self, ids: NDArray[np.int64], made: T, *, size: int) -> T:
        """Keep it, of so many bytes, unless the array might change; returns it."""
        if not ids.flags.writeable:
            self._remembered.keep(id(ids), (ids, made), size=ids.nbytes + size)
        return made
