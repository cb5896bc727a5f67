"""What the service logs: JSON, a line each, for machines; words for a person at a terminal. Never a key."""

from __future__ import annotations

import json
import logging
from datetime import datetime, timezone
from typing import TextIO

from gallery.access.key import without_keys
from search_api.settings import ServiceSettings
from search_api.visits import request_id

PLAIN = "%(levelname)s: %(message)s"
QUIET_IN_WORDS = ("search_api.edge.observing", "uvicorn")
"""Who logs a line for each request, and each step of starting and ending."""

OURS = ("siamese", "explain", "gallery", "indexer", "search_api", "whyalike")
"""Who may say what is only said at the level debug: others would tell headers, addresses and contents."""


class JsonLines(logging.Formatter):
    """Time, level, who says it, the words, the request that it is about, and what else is known."""

    def format(self, record: logging.LogRecord) -> str:
        """One line; keys in it are made unreadable."""
        told = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": request_id(),
            **getattr(record, "told", {}),
        }
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return without_keys(json.dumps({name: value for name, value in told.items() if value is not None}))


class Words(logging.Formatter):
    """A line for a person; keys in it are made unreadable."""

    def format(self, record: logging.LogRecord) -> str:
        """The level and the words."""
        return without_keys(super().format(record))


def write_logs(settings: ServiceSettings, stream: TextIO) -> None:
    """From now on this process logs to the stream, as the settings say.

    In words, requests that went well are left out: a person would not see the rest for them.
    """
    is_json = settings.log_format == "json" or (settings.log_format == "auto" and not stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines() if is_json else Words(PLAIN))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    level: int = getattr(logging, settings.log_level.upper())
    root.setLevel(max(level, logging.INFO))
    for name in OURS:
        logging.getLogger(name).setLevel(level)
    for name in QUIET_IN_WORDS:
        logging.getLogger(name).setLevel(logging.NOTSET if is_json else logging.WARNING)
