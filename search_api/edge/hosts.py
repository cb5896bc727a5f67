"""Which hosts the service answers to: a page elsewhere must not reach it under a name of its own."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from search_api.errors import UnknownHost
from search_api.problems.refusals import refusal

ANY = "*"


class KnownHosts:
    """ASGI middleware that refuses a request whose Host is neither an address nor one of the known names.

    A page that has its own name resolved to this machine (DNS rebinding) would else read every picture. Such
    an attack needs a name, and a browser always sends it: numeric addresses and no Host at all are let in.
    """

    def __init__(self, app: ASGIApp, *, names: Collection[str]) -> None:
        """`names` may hold “*”, which lets every name in: for a proxy in front that checks them itself."""
        self._app = app
        self._names = {name.lower() for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, if it was meant for this service."""
        if scope["type"] == "http":
            name = _name_of(Headers(scope=scope).get("host", ""))
            if not (self._names & {ANY, name} or _is_address(name)):
                await refusal(UnknownHost(name))(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _name_of(host: str) -> str:
    """The host without its port, and an IPv6 address without its brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].rstrip(".").lower()


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return not name
    return True
