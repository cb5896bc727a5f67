"""The lease of a gallery: one writer at a time, and a dead one's place is taken over.

A lease is a row with a token. Its holder renews it from a thread while it works and confirms it inside every
transaction that writes, so that one that was taken over (a suspended machine, say) can no longer write.
"""

import os
import platform
import threading
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, delete, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from gallery.database import writing
from gallery.errors import GalleryLocked, GalleryNotFound
from gallery.records.galleries import GalleryRecord, LeaseRecord

RENEWAL_SECONDS = 20.0
"""How often the holder says that it lives."""

EXPIRY = timedelta(minutes=3)
"""After how long a silent holder on another machine counts as dead: nine missed renewals, and longer than
one writer waits for another's transaction."""


class Lease:
    """The right to write one gallery."""

    def __init__(
        self, engine: Engine, gallery_id: int, gallery: str, *, clock: Callable[[], datetime]
    ) -> None:
        self._engine = engine
        self._gallery_id = gallery_id
        self._gallery = gallery
        self._clock = clock
        self._token = uuid.uuid4().hex
        self._ended = threading.Event()
        self._renewal = threading.Thread(
            target=self._renew_until_ended, name=f"lease of {gallery}", daemon=True
        )

    def acquire(self) -> None:
        """Take it, from a dead holder if need be.

        Raises GalleryLocked while another one lives, GalleryNotFound where the gallery was deleted meanwhile.
        """
        self._take()
        self._renewal.start()

    def confirm(self, connection: Connection) -> None:
        """Make sure, inside a transaction that writes, that it is still ours; raises GalleryLocked."""
        token = connection.scalar(select(LeaseRecord.token).where(self._of_gallery))
        if token != self._token:
            raise GalleryLocked(
                f"The gallery {self._gallery!r} was taken over by another writer; run it again."
            )

    def release(self) -> None:
        """Give it up, so that the next writer need not wait."""
        self._ended.set()
        if self._renewal.is_alive():
            self._renewal.join()
        with writing(self._engine) as connection:
            connection.execute(delete(LeaseRecord).where(self._of_gallery, LeaseRecord.token == self._token))

    def _take(self) -> None:
        now = self._clock()
        with writing(self._engine) as connection:
            gallery = select(GalleryRecord.id).where(GalleryRecord.id == self._gallery_id)
            if connection.scalar(gallery) is None:
                raise GalleryNotFound(f"The gallery {self._gallery!r} was deleted just now; run it again.")
            holder = connection.execute(select(LeaseRecord.__table__).where(self._of_gallery)).one_or_none()
            if holder is not None and is_alive(holder, now):
                raise GalleryLocked(
                    f"The gallery {self._gallery!r} is being written by process {holder.process_id} on "
                    f"{holder.host} since {holder.acquired_at:%Y-%m-%d %H:%M:%S} UTC; wait for it or end it."
                )
            connection.execute(delete(LeaseRecord).where(self._of_gallery))
            connection.execute(insert(LeaseRecord).values(self._row(now)))

    def _renew_until_ended(self) -> None:
        while not self._ended.wait(RENEWAL_SECONDS):
            try:
                with writing(self._engine) as connection:
                    held = update(LeaseRecord).where(self._of_gallery, LeaseRecord.token == self._token)
                    connection.execute(held.values(renewed_at=self._clock()))
            except SQLAlchemyError:
                continue  # a busy database: EXPIRY leaves room for several more attempts

    def _row(self, now: datetime) -> dict[str, object]:
        return {
            "gallery_id": self._gallery_id,
            "token": self._token,
            "host": platform.node(),
            "process_id": os.getpid(),
            "acquired_at": now,
            "renewed_at": now,
        }

    @property
    def _of_gallery(self) -> ColumnElement[bool]:
        return LeaseRecord.gallery_id == self._gallery_id


def is_alive(holder: Row[Any], now: datetime) -> bool:
    """Whether the process lives that `host`, `process_id` and `renewed_at` of a row are of."""
    if now - holder.renewed_at > EXPIRY:
        return False
    return holder.host != platform.node() or _process_exists(holder.process_id)


def _process_exists(process_id: int) -> bool:
    if os.name == "nt":
        return True  # os.kill would end it there; the lease's expiry decides alone
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
