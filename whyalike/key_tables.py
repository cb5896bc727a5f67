"""Keys as people and programs read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gallery.access.key import Key, Scope, Secret
from gallery.clock import utc_now
from whyalike.tables import UNKNOWN, print_rows

HEADINGS = ("id", "name", "scope", "made", "used last", "good until")


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A key as JSON."""

    id: str
    name: str
    scope: Scope
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    @classmethod
    def of(cls, key: Key) -> ListedKey:
        """What may be told of a key."""
        times = (key.created_at, key.expires_at, key.revoked_at, key.last_used_at)
        return cls(key.public_id, key.name, key.scope, *times)


@dataclass(frozen=True, slots=True)
class ListedKeys:
    """All of them."""

    keys: list[ListedKey]

    @classmethod
    def of(cls, keys: Sequence[Key]) -> ListedKeys:
        """In the same order."""
        return cls([ListedKey.of(key) for key in keys])


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A new key, with what opens the service: told once."""

    key: str
    id: str
    name: str
    scope: Scope
    expires_at: datetime | None

    @classmethod
    def of(cls, key: Key, secret: Secret) -> MadeKey:
        """The key and its only copy."""
        return cls(secret.text, key.public_id, key.name, key.scope, key.expires_at)


def print_keys(keys: Sequence[Key]) -> None:
    """A table, or the way to the first key."""
    from whyalike.console import say

    if not keys:
        say("There are no keys yet; `whyalike keys create NAME` makes one.")
        return
    now = utc_now()
    print_rows(HEADINGS, [_cells(key, now) for key in keys])


def _cells(key: Key, now: datetime) -> list[str]:
    made, used = _day(key.created_at), _day(key.last_used_at)
    return [key.public_id, key.name, key.scope, made, used, _until(key, now)]


def _until(key: Key, now: datetime) -> str:
    if key.revoked_at is not None:
        return f"revoked {_day(key.revoked_at)}"
    if key.expires_at is None:
        return "any time"
    return _day(key.expires_at) if key.is_valid(now) else f"expired {_day(key.expires_at)}"


def _day(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d %H:%M}" if time else UNKNOWN
