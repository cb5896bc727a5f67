"""`whyalike gallery repair`: mend what can be mended, and embed what was lost again."""

from __future__ import annotations

from typing import Annotated

import typer

from whyalike.options import Device, GalleryName, Json, Runtime


def repair(
    name: GalleryName,
    index: Annotated[
        bool,
        typer.Option("--index/--no-index", help="Embed what was lost again, or leave that to the next run."),
    ] = True,
    device: Device = None,
    runtime: Runtime = None,
    json: Json = False,
) -> None:
    """Mend a gallery with what is left of it, and say what cannot be; nothing intact is embedded again.

    Leaves with 1 if something is still wrong.
    """
    from whyalike.computing import choose_computing
    from whyalike.console import progress
    from whyalike.gallery_proofs import print_repair
    from whyalike.home import open_galleries
    from whyalike.repairing import repair_gallery
    from whyalike.settings import read_settings
    from whyalike.tables import print_json

    settings = read_settings()
    repaired = repair_gallery(
        open_galleries(settings),
        name,
        settings=settings,
        computing=choose_computing(settings, device=device, runtime=runtime),
        with_index=index,
        progress=progress(),
    )
    print_json(repaired) if json else print_repair(repaired)
    if not repaired.left.clean:
        raise typer.Exit(1)
