"""Whether somebody still waits for an answer: work for nobody is left at the next stage."""

from __future__ import annotations

from contextvars import ContextVar

from search_api.errors import Abandoned


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
