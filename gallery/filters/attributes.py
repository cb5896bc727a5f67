"""Attributes: what a table says of an image besides its label, as text by name of its column."""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

MAX_TEXT = 500
"""Characters of a value that are kept: PostgreSQL's index takes about 2,700 bytes."""

MAX_NAME = 100
"""Characters of a column's name."""

MAX_COLUMNS = 100
"""Attributes of an image: each is a row of the database."""

DIGEST_DIGITS = 32
"""128 bits: no two sets of attributes of one gallery are taken for one another."""

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")


def number_of(text: str) -> float | None:
    """The finite number that the text is written as, in the notation of programs; None for any other text."""
    if not _NUMBER.fullmatch(text.strip()):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def text_of(value: Any) -> str | None:
    """A cell as text: times as ISO 8601, truth as true and false, what is nested as JSON; None if empty.

    A longer text is cut to MAX_TEXT characters, and NUL, which no database keeps, is left out.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):  # how pandas keeps an empty cell
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, list | tuple | dict):
        value = json.dumps(value, ensure_ascii=False, default=str, sort_keys=True)
    return storable(str(value).strip().replace("\0", "")[:MAX_TEXT]) or None


def is_storable(text: str) -> bool:
    """Whether every database keeps the text: neither a NUL nor half a surrogate pair is in it."""
    return _UNSTORABLE.search(text) is None


def storable(text: str) -> str:
    """The text as every database keeps it: “?” for half a surrogate pair, and no NUL."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def attributes_of(cells: Mapping[str, Any]) -> dict[str, str]:
    """Those of the cells that are not empty, as text, in the order of their names."""
    texts = {name: text_of(value) for name, value in sorted(cells.items())}
    return {name: text for name, text in texts.items() if text is not None}


def digest_of(attributes: Mapping[str, str]) -> str | None:
    """The name of these attributes: the same for the same ones, None where there are none."""
    if not attributes:
        return None
    text = json.dumps(dict(sorted(attributes.items())), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_DIGITS]
