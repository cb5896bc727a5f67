"""How long work tells of itself: what this package asks for, and the one that says nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")


class Progress(Protocol):
    """Something that shows how far long work has come."""

    def track(self, iterable: Iterable[T], *, description: object, total: int | None = None) -> Iterator[T]:
        """Pass the iterable through, showing rate and time left; `total` where it has no length.

        What is shown of the description is its text, which may change meanwhile.
        """

    def say(self, line: str) -> None:
        """Show one line that stays."""


class Silent:
    """The progress of tests and programs: passes everything through, shows nothing."""

    def track(self, iterable: Iterable[T], *, description: object, total: int | None = None) -> Iterator[T]:
        """Pass the iterable through."""
        return iter(iterable)

    def say(self, line: str) -> None:
        """Show nothing."""
