"""`whyalike gallery rollback`: an older build's state is published again."""

from __future__ import annotations

from typing import Annotated

import typer

from whyalike.options import GalleryName, Json


def rollback(
    name: GalleryName,
    build: Annotated[
        int | None,
        typer.Option(
            "--build", metavar="N", min=1, help="Whose state; by default that of the one before the last."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Publish the state of an older build again, as a new build: its images, labels and encoder.

    The next `whyalike index` brings the gallery up to date with its folders again.
    """
    from gallery.builds.rollback import roll_back
    from whyalike.gallery_tables import print_rollback
    from whyalike.home import open_galleries
    from whyalike.settings import read_settings
    from whyalike.tables import print_json

    with open_galleries(read_settings()).tenure(name) as tenure:
        report = roll_back(tenure, build=build)
    print_json(report) if json else print_rollback(report)
