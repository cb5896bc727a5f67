"""`whyalike keys create`: a key, shown once."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated

import typer

from whyalike.options import Json, ScopeChoice

UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def create(
    name: Annotated[str, typer.Argument(help="Who it is for, such as “shop front”; `keys list` shows it.")],
    scope: Annotated[
        ScopeChoice,
        typer.Option("--scope", help="What it is good for; write holds read, admin holds both."),
    ] = ScopeChoice.read,
    expires: Annotated[
        str | None,
        typer.Option("--expires", metavar="TIME", help="After how long: 12h, 90d, 4w. Never, unless said."),
    ] = None,
    json: Json = False,
) -> None:
    """Make a key for the service. It is shown now and never again; only its digest is kept."""
    import sys

    from gallery.access.keys import Keys
    from gallery.clock import utc_now
    from whyalike.console import say
    from whyalike.home import open_records
    from whyalike.key_tables import MadeKey
    from whyalike.settings import read_settings
    from whyalike.tables import print_json

    ends = _end(expires, utc_now()) if expires else None
    key, secret = Keys(open_records(read_settings())).create(name, scope=scope.value, expires_at=ends)
    if json:
        print_json(MadeKey.of(key, secret))
    else:
        sys.stdout.write(f"{secret.text}\n")
        until = f" until {key.expires_at:%Y-%m-%d %H:%M} UTC" if key.expires_at else ""
        say(f"{key.name}: a key with the scope {key.scope}{until}, shown this once, as {key.public_id}.")


def _end(text: str, now: datetime) -> datetime:
    from whyalike.errors import UsageError

    found = re.fullmatch(r"([1-9]\d{0,4})([mhdw])", text.strip())
    if not found:
        raise UsageError(f"--expires takes a number and m, h, d or w, such as 90d, not {text!r}")
    return now + timedelta(**{UNITS[found[2]]: int(found[1])})
