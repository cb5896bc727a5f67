"""Sessions: a browser shows a key once and then a random cookie, which ends with the key at the latest."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Engine, delete, insert, select

from gallery.access.key import SECRET_BYTES, Key, digest_of
from gallery.access.keys import key_of
from gallery.clock import utc_now
from gallery.database import writing
from gallery.records.keys import KeyRecord, SessionRecord


class Sessions:
    """The sessions in the database behind `engine`, each good for `lasts`. Safe for many threads."""

    def __init__(self, engine: Engine, *, lasts: timedelta, clock: Callable[[], datetime] = utc_now) -> None:
        self._engine = engine
        self._lasts = lasts
        self._clock = clock

    def open(self, key: Key) -> str:
        """The token of a new session of this key; those that are over are forgotten."""
        token = secrets.token_urlsafe(SECRET_BYTES)
        now = self._clock()
        row = {"digest": digest_of(token), "key_id": key.key_id, "expires_at": now + self._lasts}
        with writing(self._engine) as connection:
            connection.execute(delete(SessionRecord).where(SessionRecord.expires_at <= now))
            connection.execute(insert(SessionRecord).values(**row))
        return token

    def find(self, token: str) -> Key | None:
        """The valid key whose session this is. A digest is looked up, so no time tells of it."""
        now = self._clock()
        with self._engine.connect() as connection:
            row = connection.execute(
                select(KeyRecord)
                .join(SessionRecord, SessionRecord.key_id == KeyRecord.id)
                .where(SessionRecord.digest == digest_of(token), SessionRecord.expires_at > now)
            ).one_or_none()
        key = key_of(row) if row else None
        return key if key and key.is_valid(now) else None

    def close(self, token: str) -> None:
        """The token opens nothing any more. It is looked for first: a made-up one has nothing written."""
        its = SessionRecord.digest == digest_of(token)
        with self._engine.connect() as connection:
            is_known = connection.scalar(select(SessionRecord.digest).where(its)) is not None
        if is_known:
            with writing(self._engine) as connection:
                connection.execute(delete(SessionRecord).where(its))
