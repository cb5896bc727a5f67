"""What is known of a request while it is under way: its id, where it goes, and whose key it came with."""

from __future__ import annotations

import re
import uuid
from contextvars import ContextVar
from dataclasses import dataclass
from typing import cast

from starlette.types import Scope as Asgi

from gallery.access.key import Key, without_keys
from search_api.destinations import Destination

REQUEST_ID = "X-Request-ID"
WELL_FORMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
"""A request id that is taken over from whoever asks; it goes into logs, so it may hold nothing odd."""


@dataclass(slots=True)
class Visit:
    """One request; `key` is None before it is known, and where nobody is asked for one.

    `refusal` is the kind of the problem that it was answered with, if it was.
    """

    request_id: str
    destination: Destination
    key: Key | None = None
    refusal: str | None = None


_KEY = "whyalike.visit"
_current: ContextVar[Visit | None] = ContextVar("visit", default=None)


def begin(request: Asgi, asked_id: str | None, destination: Destination) -> Visit:
    """A visit by this request, under the id that it came with if that is well-formed."""
    visit = Visit(asked_id if asked_id and is_well_formed(asked_id) else uuid.uuid4().hex, destination)
    _current.set(visit)  # never taken back: a server gives every request a context of its own
    request[_KEY] = visit
    return visit


def is_well_formed(asked_id: str) -> bool:
    """Whether an id may be taken over: it may hold nothing odd, and no key by mistake."""
    return bool(WELL_FORMED.fullmatch(asked_id)) and without_keys(asked_id) == asked_id


def visit_of(request: Asgi) -> Visit:
    """The visit that was begun by this request."""
    return cast(Visit, request[_KEY])


def request_id() -> str | None:
    """The id of the request that this is done for; None outside of one."""
    visit = _current.get()
    return visit.request_id if visit else None


def note_refusal(kind: str) -> None:
    """The request that this is done for is refused."""
    visit = _current.get()
    if visit:
        visit.refusal = kind
