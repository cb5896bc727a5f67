"""`whyalike gallery backup`: a gallery as one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from whyalike.options import GalleryName, Json


def backup(
    name: GalleryName,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The tar to write; must not be there yet.")],
    json: Json = False,
) -> None:
    """Write a gallery with all the builds that it keeps into one file; originals are not in it."""
    from gallery.backups.backup import back_up
    from gallery.clock import utc_now
    from whyalike.errors import UsageError
    from whyalike.gallery_tables import print_backup
    from whyalike.home import open_galleries
    from whyalike.settings import read_settings
    from whyalike.tables import print_json

    if file.exists():
        raise UsageError(f"{file} is there already: name another file, or remove it")
    site = open_galleries(read_settings()).site(name)
    report = back_up(site, file, at=utc_now())
    print_json(report) if json else print_backup(report)
