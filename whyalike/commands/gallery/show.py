"""`whyalike gallery show`: the builds of a gallery, or what one of them shows."""

from __future__ import annotations

from typing import Annotated

import typer

from whyalike.options import GalleryName, Json


def show(
    name: GalleryName,
    build: Annotated[
        int | None, typer.Option("--build", metavar="N", min=1, help="One build that is kept, alone.")
    ] = None,
    images: Annotated[
        bool, typer.Option("--images", help="With --build: every image of it, with its place and label.")
    ] = False,
    json: Json = False,
) -> None:
    """Say what a gallery is made of, which builds it keeps and what they take; or what a build shows."""
    from gallery.builds.history import build_account, history
    from whyalike.errors import UsageError
    from whyalike.gallery_tables import print_build, print_history
    from whyalike.home import open_galleries
    from whyalike.settings import read_settings
    from whyalike.tables import print_json

    if images and build is None:
        raise UsageError("--images lists those of one build: name it with --build N")
    site = open_galleries(read_settings()).site(name)
    if build is None:
        told = history(site)
        print_json(told) if json else print_history(told)
    else:
        account = build_account(site, build, with_images=images)
        print_json(account) if json else print_build(account)
