"""Slots: so many hold one at a time; whoever waits for one may also be served otherwise."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Slots:
    """Taken and given back by threads; also a context manager that holds one."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._changed = threading.Condition()

    def take_unless(self, is_needless: Callable[[], bool]) -> bool:
        """Waits for a slot and takes it; False once it is needless, asked whenever one is given back."""
        with self._changed:
            self._changed.wait_for(lambda: self._free > 0 or is_needless())
            if is_needless():
                return False
            self._free -= 1
            return True

    def give_back(self) -> None:
        """Frees the slot, and lets everybody look who waits."""
        with self._changed:
            self._free += 1
            self._changed.notify_all()

    def __enter__(self) -> None:
        self.take_unless(lambda: False)

    def __exit__(self, *_: object) -> None:
        self.give_back()
