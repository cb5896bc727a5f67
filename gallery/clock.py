"""The time, for whoever is not told another."""

from datetime import datetime, timezone


def utc_now() -> datetime:
    """The time, in UTC."""
    return datetime.now(timezone.utc)
