"""Who a request is from: the key that it shows, or the session whose cookie it brings."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from sqlalchemy import Engine
from starlette.requests import cookie_parser

from gallery.access.key import Key, Secret, digest_of
from gallery.access.keys import Keys
from gallery.access.sessions import Sessions
from gallery.clock import utc_now

COOKIE = "whyalike_session"
SECURE_COOKIE = f"__Host-{COOKIE}"
"""By HTTPS: a browser takes a cookie of this name from this very host alone, and not from one beside it."""
REMEMBERED_S = 5.0
"""Seconds for which a key that was found is believed without asking again: so long works a revoked one."""
REMEMBERED = 1024
"""Keys and sessions that are believed at the same time."""
LOOK_UPS = 8
"""Keys that are looked up at the same time, in threads that no lane needs: a flood of guesses waits here."""
NOTED_EVERY_S = 60.0
"""Seconds between two writings of when keys were used last."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a request shows of itself: a text after “Bearer”, or the cookie of a session."""

    bearer: str | None
    session: str | None

    @classmethod
    def by(cls, authorization: str | None, cookie: str | None, *, scheme: str) -> Shown:
        """From its headers; the key comes before the cookie."""
        kind, _, text = (authorization or "").partition(" ")
        if authorization is not None:
            return cls(text.strip() if kind.lower() == "bearer" else "", None)
        return cls(None, cookie_parser(cookie or "").get(cookie_by(scheme)))

    @property
    def is_nothing(self) -> bool:
        """Whether it shows nothing at all."""
        return self.bearer is None and self.session is None


def cookie_by(scheme: str) -> str:
    """What the cookie of a session is called by HTTP or HTTPS."""
    return SECURE_COOKIE if scheme == "https" else COOKIE


class Door:
    """Knows the keys; asks the records about each only now and then, and never in the event loop."""

    def __init__(self, engine: Engine, *, session_hours: float) -> None:
        self._keys = Keys(engine)
        self._sessions = Sessions(engine, lasts=timedelta(hours=session_hours))
        self._believed = Believed()
        self._look_ups = CapacityLimiter(LOOK_UPS)
        self._uses = LastUses(self._keys)

    async def who(self, shown: Shown) -> Key | None:
        """The key that is shown, or whose session it is; None where that is none, or over."""
        text = shown.bearer if shown.bearer is not None else shown.session
        if not text:
            return None
        digest = digest_of(text)
        key = self._believed.get(digest) or await run_sync(self._look_up, shown, text, limiter=self._look_ups)
        if key:
            self._believed.put(digest, key)
            self._uses.note(key)
        return key

    async def open(self, key: Key) -> str:
        """The token of a new session."""
        return await run_sync(self._sessions.open, key)

    async def forget(self, token: str) -> None:
        """Ends a session, also for whoever was just believed."""
        await run_sync(self._sessions.close, token)
        self._believed.drop(digest_of(token))

    def close(self) -> None:
        """Writes down what is not yet written of last uses."""
        self._uses.close()

    def _look_up(self, shown: Shown, text: str) -> Key | None:
        if shown.bearer is None:
            return self._sessions.find(text)
        secret = Secret.read(text)
        return self._keys.find(secret) if secret else None


class Believed:
    """Keys that were found lately, by the digest of what was shown."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: OrderedDict[str, tuple[Key, float]] = OrderedDict()

    def get(self, digest: str) -> Key | None:
        """The key, if it was found in the last seconds and has not expired since."""
        with self._lock:
            key, until = self._keys.get(digest, (None, 0.0))
        return key if key and self._clock() < until and key.is_valid(utc_now()) else None

    def put(self, digest: str, key: Key) -> None:
        """Believe it for a while, from the first time on."""
        with self._lock:
            known = self._keys.get(digest)
            if known is None or known[1] <= self._clock():
                self._keys.pop(digest, None)
                self._keys[digest] = key, self._clock() + REMEMBERED_S
            while len(self._keys) > REMEMBERED:
                self._keys.popitem(last=False)

    def drop(self, digest: str) -> None:
        """Believe it no longer."""
        with self._lock:
            self._keys.pop(digest, None)


class LastUses:
    """Remembers when keys were used, and writes it down once a minute, in a thread that nobody waits for."""

    def __init__(self, keys: Keys, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._keys = keys
        self._clock = clock
        self._lock = threading.Lock()
        self._pending: dict[int, datetime] = {}
        self._written = -NOTED_EVERY_S
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="last-uses")

    def note(self, key: Key) -> None:
        """The key was used now."""
        with self._lock:
            self._pending[key.key_id] = utc_now()
            if self._clock() - self._written < NOTED_EVERY_S:
                return
            self._written = self._clock()
        self._thread.submit(self._write)

    def close(self) -> None:
        """Writes what is left."""
        self._thread.submit(self._write)
        self._thread.shutdown()

    def _write(self) -> None:
        with self._lock:
            pending, self._pending = self._pending, {}
        if not pending:
            return
        try:
            self._keys.used(pending)
        except Exception:
            log.exception("When keys were used last could not be written down")
