"""How an error looks over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

PROBLEM_PREFIX = "urn:whyalike:problem:"


@dataclass(frozen=True, slots=True)
class Face:
    """How an error looks over HTTP: its status, the last part of its type's URN, its title.

    `is_fault` where something went wrong inside, and was not merely refused.
    """

    status: HTTPStatus
    kind: str
    title: str
    is_fault: bool = False

    @property
    def type(self) -> str:
        """The problem's type: a URN, the same in all versions."""
        return PROBLEM_PREFIX + self.kind

    @property
    def tells(self) -> bool:
        """Whether the error's message is for the client; that of a fault of the service is for its log."""
        return not self.is_fault
