"""What a key is: a long random text that is shown once, and of which only a digest is remembered."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Scope = Literal["read", "write", "admin"]
"""What a key is good for; each holds those before it."""
SCOPES: tuple[Scope, ...] = ("read", "write", "admin")

PREFIX = "wak"
"""What every key begins with, so that scanners for leaked secrets may know one."""
ID_BYTES = 5
SECRET_BYTES = 32
"""256 bits of chance: nobody guesses one, and so a fast digest keeps it as safe as a slow one."""
_SHAPE = re.compile(rf"{PREFIX}_([0-9a-f]{{{2 * ID_BYTES}}})_([A-Za-z0-9_-]{{43}})")
_ANYWHERE = re.compile(rf"{PREFIX}_[0-9a-f]+_[A-Za-z0-9_-]{{8,}}")


@dataclass(frozen=True, slots=True)
class Key:
    """What is remembered of a key. `public_id` names it where people speak of it, and opens nothing."""

    key_id: int
    public_id: str
    name: str
    scope: Scope
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    def allows(self, wanted: Scope) -> bool:
        """Whether it is good for this."""
        return SCOPES.index(self.scope) >= SCOPES.index(wanted)

    def is_valid(self, now: datetime) -> bool:
        """Whether it still opens anything."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class Secret:
    """A key as its holder has it; printing it by mistake shows nothing of it."""

    public_id: str
    text: str

    @classmethod
    def new(cls) -> Secret:
        """One that nobody has."""
        public_id = secrets.token_hex(ID_BYTES)
        return cls(public_id, f"{PREFIX}_{public_id}_{secrets.token_urlsafe(SECRET_BYTES)}")

    @classmethod
    def read(cls, text: str) -> Secret | None:
        """The key that this text is; None where it is none."""
        found = _SHAPE.fullmatch(text)
        return cls(found[1], text) if found else None

    @property
    def digest(self) -> str:
        """What may be stored of it."""
        return digest_of(self.text)

    def __repr__(self) -> str:
        return f"Secret({self.public_id!r})"


def digest_of(text: str) -> str:
    """The SHA-256 of a text that nobody could guess, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def without_keys(text: str) -> str:
    """The text with whatever looks like a key made unreadable, for logs and messages."""
    return _ANYWHERE.sub(f"{PREFIX}_…", text) if f"{PREFIX}_" in text else text
