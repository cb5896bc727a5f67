"""The end of the service: first it says so, then it takes on nothing new, then what is under way ends."""

from __future__ import annotations


class Ending:
    """Whether the service is about to end; it never goes back."""

    def __init__(self) -> None:
        self.has_begun = False

    def begin(self) -> None:
        """From now on nothing new is taken on. Safe in a signal's handler."""
        self.has_begun = True
