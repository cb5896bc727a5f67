"""The keys that were made: made, listed, revoked, and recognised when one is shown."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy import Engine, Row, insert, or_, select, update

from gallery.access.key import SCOPES, Key, Scope, Secret, digest_of
from gallery.clock import utc_now
from gallery.database import writing
from gallery.errors import InvalidKey, KeyNotFound
from gallery.records.keys import KeyRecord

MAX_NAME = 100
_NO_DIGEST = digest_of("")
"""Compared with where no key has the id, so that this takes the same time."""


class Keys:
    """The keys in the database behind `engine`. Safe for many threads."""

    def __init__(self, engine: Engine, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._engine = engine
        self._clock = clock

    def create(self, name: str, *, scope: Scope, expires_at: datetime | None = None) -> tuple[Key, Secret]:
        """A new key, and the only copy of it there will be; raises InvalidKey."""
        now = self._clock()
        _check(name, scope, expires_at, now)
        secret = Secret.new()
        row = {"public_id": secret.public_id, "digest": secret.digest, "name": name, "scope": scope}
        with writing(self._engine) as connection:
            made = insert(KeyRecord).values(**row, created_at=now, expires_at=expires_at)
            key_id = connection.scalar(made.returning(KeyRecord.id))
        assert key_id is not None  # the database gives one to every row
        return Key(key_id, secret.public_id, name, scope, now, expires_at), secret

    def all(self) -> list[Key]:
        """Every key that was ever made, the oldest first."""
        with self._engine.connect() as connection:
            return [key_of(row) for row in connection.execute(select(KeyRecord).order_by(KeyRecord.id))]

    def revoke(self, which: str) -> Key:
        """The key of this public id, or the only one of this name, opens nothing any more.

        Raises KeyNotFound.
        """
        with writing(self._engine) as connection:
            rows = connection.execute(
                select(KeyRecord).where(
                    or_(KeyRecord.public_id == which, KeyRecord.name == which), KeyRecord.revoked_at.is_(None)
                )
            )
            found = _only([key_of(row) for row in rows], which)
            now = self._clock()
            connection.execute(update(KeyRecord).where(KeyRecord.id == found.key_id).values(revoked_at=now))
        return found

    def find(self, secret: Secret) -> Key | None:
        """The valid key that this is; compared in a time that tells nothing."""
        with self._engine.connect() as connection:
            row = connection.execute(
                select(KeyRecord).where(KeyRecord.public_id == secret.public_id)
            ).one_or_none()
        is_it = hmac.compare_digest(row.digest if row else _NO_DIGEST, secret.digest)
        key = key_of(row) if row and is_it else None
        return key if key and key.is_valid(self._clock()) else None

    def used(self, times: Mapping[int, datetime]) -> None:
        """Remembers when keys were used last, by their key_id."""
        with writing(self._engine) as connection:
            for key_id, time in sorted(times.items()):
                connection.execute(update(KeyRecord).where(KeyRecord.id == key_id).values(last_used_at=time))


def key_of(row: Row[KeyRecord]) -> Key:
    """The key that a row of the table describes."""
    return Key(
        row.id,
        row.public_id,
        row.name,
        row.scope,
        row.created_at,
        row.expires_at,
        row.revoked_at,
        row.last_used_at,
    )


def _check(name: str, scope: str, expires_at: datetime | None, now: datetime) -> None:
    if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
        raise InvalidKey(f"A key needs a name of 1 to {MAX_NAME} printable letters, not {name!r}.")
    if scope not in SCOPES:
        raise InvalidKey(f"A key is good for one of {', '.join(SCOPES)}, not for {scope!r}.")
    if expires_at is not None and expires_at <= now:
        raise InvalidKey(f"A key must expire in the future, not at {expires_at:%Y-%m-%d %H:%M}.")


def _only(found: list[Key], which: str) -> Key:
    if not found:
        raise KeyNotFound(f"No key in use has the id or name {which!r}; `whyalike keys list` shows them.")
    if len(found) > 1:
        ids = ", ".join(each.public_id for each in found)
        raise KeyNotFound(f"Several keys are called {which!r}; name one by its id: {ids}.")
    return found[0]
