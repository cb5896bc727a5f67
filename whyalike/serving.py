"""The server: who is let in where it listens, and how it ends."""

from __future__ import annotations

import math
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from ipaddress import ip_address
from types import FrameType

import uvicorn
from fastapi import FastAPI

from search_api.edge.ending import Ending
from whyalike.connections import ConnectionBounds
from whyalike.errors import UsageError
from whyalike.settings import ServeSettings

MARGIN_S = 5.0
"""After the time that requests are given to end: for what the server itself has to close."""
KEEP_ALIVE_S = 75
"""That an idle connection stays: longer than clients keep one (httpx2 5 s, load balancers 60 s), for one that
ends at the moment when it is used again loses the request, as with uvicorn's 5 s."""
SAME_S = 1.0
"""Who is told twice within this was told once: systemd tells all processes, and so does their parent."""
FEW = 1
"""Connections that one of several processes takes at a time, so that those of a burst are shared out."""
QUEUED = 2048
"""Connections that the system keeps until they are taken."""
SIGNALLED = 128
"""What a shell adds to a signal's number in the exit code of who was ended by it."""


def asks_for_keys(settings: ServeSettings, listening: socket.socket) -> bool:
    """Whether requests to this socket need a key; raises UsageError where they must and are said not to.

    Only who can be reached from its own machine alone may do without, and a trusted proxy lets others in.
    """
    address = listening.getsockname()[0]
    is_private = ip_address(address).is_loopback and not settings.trusted_proxies
    if settings.authentication == "off" and not is_private:
        raise UsageError(
            f"others than this machine can reach {address}, so keys cannot be off: set "
            "WHYALIKE_SERVE__AUTHENTICATION=keys and make a key with `whyalike keys create NAME`, or listen "
            "on 127.0.0.1 without trusted proxies"
        )
    return settings.authentication == "keys" or not is_private


class Server(uvicorn.Server):
    """Says that it ends before it refuses connections, lets requests end, and ends in any case."""

    def __init__(self, app: FastAPI, settings: ServeSettings, *, shares_port: bool = False) -> None:
        """`shares_port` where other processes take connections from the same socket."""
        config = uvicorn.Config(
            app,
            http=ConnectionBounds(settings.connections, settings.connection_seconds).protocol,
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=settings.trusted_proxies or None,
            backlog=FEW if shares_port else QUEUED,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=max(1, round(settings.shutdown_seconds)),
        )
        super().__init__(config)
        self._ending: Ending = app.state.ending
        self._settings = settings
        self._told_at = -math.inf

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As before; asyncio takes as many at a time as it lets the system queue, so that is said again."""
        await super().startup(sockets)
        for each in sockets or ():
            each.listen(QUEUED)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """At SIGTERM, a load balancer is given time to notice; at Ctrl-C, and the second time, nobody is."""
        now = time.monotonic()
        if sig == signal.SIGTERM and now - self._told_at < SAME_S:
            return
        self._told_at = now
        if self._ending.has_begun or sig != signal.SIGTERM or not self._settings.drain_seconds:
            self._ending.begin()
            self._end(sig)
            return
        self._ending.begin()
        _later(self._settings.drain_seconds, partial(self._end, sig))

    def _end(self, sig: int) -> None:
        super().handle_exit(sig, None)
        within_s = self._settings.shutdown_seconds + MARGIN_S
        _later(within_s, partial(os._exit, SIGNALLED + sig))  # a thread that computes is not ended otherwise


def _later(seconds: float, work: Callable[[], object]) -> None:
    timer = threading.Timer(seconds, work)
    timer.daemon = True
    timer.start()
