"""Where a request goes, and what it needs for that: the one place that says which route asks for what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from starlette.datastructures import Headers
from starlette.routing import BaseRoute, Match
from starlette.types import Scope as Asgi

from gallery.access.key import Scope
from search_api.schemas.query import QUERY_ID

LaneName = Literal["search", "other", "open"]

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SCOPES_OF: Mapping[str, Scope | None] = {
    "livez": None,
    "readyz": None,
    "page": None,
    "sign_in": None,
    "get_session": None,
    "open_session": None,
    "close_session": None,
    "search": "read",
    "search_batch": "read",
    "forget_query": "read",
    "why_not": "read",
    "compare": "read",
    "delete_gallery": "admin",
}
"""What an operation needs where its method would say something else; None lets everybody in.

Of all others, what only looks (GET) needs “read” and what changes something needs “write”.
"""
SEARCHES = frozenset({"search", "search_batch", "why_not", "compare"})
"""What embeds pictures: it takes much longer than the rest, and so has a lane and a rate of its own."""
EMBEDS_KEPT = frozenset({"get_overlay"})
"""What embeds a picture where a kept query is named: it then counts as a search, too."""
PROBES = frozenset({"livez", "readyz"})
"""What an orchestrator asks: who asks does not matter, and must not be what fails."""
LANELESS = PROBES | {"metrics"}
"""What must be answered when all lanes are full, to see that they are."""
LOOKS_AT_KEYS = frozenset({"page", "get_session", "close_session"})
"""What everybody may ask, and what says something else to who shows a key."""
OPEN_PATHS = ("/docs", "/openapi.json", "/page/")
"""What says nothing of any gallery: the description of the API, and the files of the page."""
API = "/v1/"
OTHER = "other"
"""The path of what is no route, in metrics and logs: they must not grow with what strangers make up."""


@dataclass(frozen=True, slots=True)
class Destination:
    """An operation, its path as a template, the scope that it needs (None: none), the lane it waits in."""

    name: str
    path: str
    scope: Scope | None
    lane: LaneName | None

    @property
    def is_probe(self) -> bool:
        """Whether an orchestrator asks this."""
        return self.name in PROBES

    @property
    def looks_at_keys(self) -> bool:
        """Whether a key is looked at where none is needed."""
        return self.name in LOOKS_AT_KEYS


def scope_of(operation: str, method: str) -> Scope | None:
    """What this operation needs; None where everybody is let in."""
    if operation in SCOPES_OF:
        return SCOPES_OF[operation]
    return "read" if method in SAFE_METHODS else "write"


class Destinations:
    """Finds where requests go. What is found nowhere needs a scope all the same, so nothing is left open."""

    def __init__(self, routes: Iterable[BaseRoute], *, scopes: Mapping[str, Scope | None]) -> None:
        """`scopes` are those of operations for which settings say another one."""
        self._routes = list(routes)
        self._scopes = scopes

    def of(self, request: Asgi) -> Destination:
        """Where this request goes."""
        path, method = request["path"], request["method"]
        if any(path == each or path.startswith(each.rstrip("/") + "/") for each in OPEN_PATHS):
            return Destination(OTHER, OTHER, None, "open")
        route = next((each for each in self._routes if each.matches(request)[0] is Match.FULL), None)
        name = getattr(route, "name", OTHER)
        scope = self._scopes[name] if name in self._scopes else scope_of(name, method)
        return Destination(name, getattr(route, "path", OTHER), scope, _lane(name, scope, request))


def _lane(name: str, scope: Scope | None, request: Asgi) -> LaneName | None:
    """The lane of an operation; what needs no key has one of its own, in which strangers keep out nobody."""
    if name in LANELESS:
        return None
    if name in SEARCHES or (name in EMBEDS_KEPT and QUERY_ID in Headers(scope=request)):
        return "search"
    if scope is None:
        return "open"
    return "other" if request["path"].startswith(API) else None
