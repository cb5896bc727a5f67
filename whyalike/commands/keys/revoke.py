"""`whyalike keys revoke`: a key that opens nothing any more."""

from __future__ import annotations

from typing import Annotated

import typer

from whyalike.options import Yes


def revoke(
    key: Annotated[str, typer.Argument(help="Its id, or its name if no other key has it.")],
    yes: Yes = False,
) -> None:
    """Revoke a key, and the sessions that were opened with it; within seconds nobody gets in by it."""
    from gallery.access.keys import Keys
    from whyalike.confirming import confirm
    from whyalike.console import say
    from whyalike.home import open_records
    from whyalike.settings import read_settings

    keys = Keys(open_records(read_settings()))
    if not yes:
        confirm(f"Revoke the key {key}? Whoever uses it is locked out.")
    revoked = keys.revoke(key)
    say(f"{revoked.name} ({revoked.public_id}): revoked")
