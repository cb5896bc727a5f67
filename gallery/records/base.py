"""What all records share: one metadata, ids that are never given twice, and times in UTC."""

from datetime import datetime, timezone

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, MetaData
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

SCHEMA_REVISION = "0018"
"""The migration that these records describe; a test compares it with Alembic's head."""

RecordId = BigInteger().with_variant(Integer, "sqlite")
"""SQLite gives AUTOINCREMENT to INTEGER keys only, which hold 64 bits all the same."""

NEVER_REUSED = {"sqlite_autoincrement": True}
"""Plain SQLite gives a deleted top id out again."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time in UTC, also where the database forgets the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store UTC; ValueError for a time without a zone."""
        if value is not None and value.tzinfo is None:
            raise ValueError("A stored time must name its zone.")
        return value and value.astimezone(timezone.utc)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give UTC back."""
        return value and (
            value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value.astimezone(timezone.utc)
        )


class Record(DeclarativeBase):
    """A database row."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
