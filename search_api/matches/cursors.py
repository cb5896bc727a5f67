"""Where an answer ended, as an opaque text that the next question brings back: for one build and question."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

from search_api.errors import InvalidCursor

MAX_PAGED = 1000
"""Matches that one question is paged through: each page looks at all that came before it."""
MAX_TEXT = 20_000
"""Characters of a cursor: a thousand groups and room to spare."""
LARGEST = 2**31 - 1
_CHECK = 8
_NAME = 12


@dataclass(frozen=True, slots=True)
class Cursor:
    """The build, a digest of what was asked, how many matches were shown, and what ranked the last of them.

    `groups` are the names of the groups that were shown, as digests.
    """

    gallery: str
    build: int
    question: str
    shown: int
    last: tuple[float, ...]
    groups: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The text that `parse` reads, with a checksum that tells a broken one."""
        content = [self.gallery, self.build, self.question, self.shown, list(self.last), "".join(self.groups)]
        data = json.dumps(content, separators=(",", ":")).encode()
        return urlsafe_b64encode(_check(data) + data).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """The cursor in this text; raises InvalidCursor."""
        try:
            if len(text) > MAX_TEXT or not text.isascii():
                raise ValueError
            raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
            check, data = raw[:_CHECK], raw[_CHECK:]
            if check != _check(data):
                raise ValueError
            gallery, build, question, shown, last, groups = json.loads(data)
            _require_kinds(gallery, build, question, shown, last, groups)
            names = tuple(groups[start : start + _NAME] for start in range(0, len(groups), _NAME))
            return cls(gallery, build, question, shown, tuple(last), names)
        except (ValueError, TypeError, KeyError, RecursionError):
            raise InvalidCursor(
                f"The cursor {text[:20]!r} is none that this service gave out: send next_cursor as it came."
            ) from None


def _require_kinds(
    gallery: object, build: object, question: object, shown: object, last: object, groups: object
) -> None:
    """ValueError for what `__str__` never writes: the checksum is no secret."""
    texts = all(isinstance(each, str) for each in (gallery, question, groups))
    counts = all(type(each) is int and 0 <= each <= LARGEST for each in (build, shown))
    numbers = isinstance(last, list) and all(type(each) is float for each in last)
    if not (texts and counts and numbers):
        raise ValueError


def digest(*parts: object) -> str:
    """What tells one question from another."""
    return hashlib.sha256("\x1f".join(map(repr, parts)).encode()).hexdigest()[:32]


def group_digest(name: str) -> str:
    """The name of a group, short enough to be carried along."""
    return hashlib.sha256(name.encode()).hexdigest()[:_NAME]


def _check(data: bytes) -> bytes:
    return hashlib.sha256(b"whyalike cursor" + data).digest()[:_CHECK]
