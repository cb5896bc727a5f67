"""`whyalike gallery restore`: a gallery from a backup."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from whyalike.options import Json


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `whyalike gallery backup` wrote.")],
    name: Annotated[
        str | None, typer.Option("--as", metavar="GALLERY", help="Under another name than it had.")
    ] = None,
    json: Json = False,
) -> None:
    """Make a gallery of a backup, whole or not at all; every byte of it is compared with its checksum."""
    from whyalike.gallery_tables import print_restoration
    from whyalike.home import open_galleries
    from whyalike.settings import read_settings
    from whyalike.tables import print_json

    report = open_galleries(read_settings()).restore(file, name=name)
    print_json(report) if json else print_restoration(report)
