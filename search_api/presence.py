"""Whether somebody still waits for an answer: work for nobody is left at the next stage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar, copy_context
from typing import TypeVar

from search_api.errors import Abandoned
from siamese.threads import in_threads

Given = TypeVar("Given")
Made = TypeVar("Made")


class Presence:
    """Of whoever asked; it ends once."""

    def __init__(self) -> None:
        self._has_ended = False

    def end(self) -> None:
        """Nobody waits any more."""
        self._has_ended = True

    @property
    def has_ended(self) -> bool:
        """Whether nobody waits any more."""
        return self._has_ended

    def require(self) -> None:
        """Raises Abandoned where nobody waits any more."""
        if self._has_ended:
            raise Abandoned


PRESENCE: ContextVar[Presence | None] = ContextVar("presence", default=None)


def require_somebody() -> None:
    """Raises Abandoned where this is done for a request whose sender has gone away."""
    presence = PRESENCE.get()
    if presence is not None:
        presence.require()


def of_each(work: Callable[[Given], Made], given: Sequence[Given], *, threads: int) -> list[Made]:
    """What the work makes of each, in their order, in threads that know who waits for it, as none does of
    its own.
    """
    contexts = [copy_context() for _ in given]

    def in_context(number: int) -> Made:
        return contexts[number].run(work, given[number])

    return list(in_threads(in_context, range(len(given)), ahead=threads, threads=threads))
