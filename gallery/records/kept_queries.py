"""Uploaded queries that are kept for a while: of their names only digests are remembered."""

from datetime import datetime

from sqlalchemy import BigInteger, Index
from sqlalchemy.orm import Mapped, mapped_column

from gallery.records.base import Record, UtcDateTime


class KeptQueryRecord(Record):
    """A picture that somebody asked with; `digest` is the SHA-256 of its query_id, and names its file."""

    __tablename__ = "kept_queries"
    __table_args__ = (Index("ix_kept_queries_expires_at", "expires_at"),)

    digest: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    bytes: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
