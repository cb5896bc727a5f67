"""`whyalike illustrate`: a page with pictures of evidence."""

import shlex
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from whyalike.options import Device, PublishedGallery, Runtime

SEEDED = 0
HANDFUL = 3


def illustrate(
    queries: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FOLDER]", help="Pictures to ask with; without it the digits that the demo holds out."
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where the page and its pictures are written.")
    ] = Path("pictures"),
    gallery: PublishedGallery = None,
    count: Annotated[int, typer.Option("--count", metavar="N", min=1, help="How many queries.")] = HANDFUL,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Draws the queries.")] = SEEDED,
    device: Device = None,
    runtime: Runtime = None,
) -> None:
    """Write a page that shows why: for a few queries the best match, a doubtful one and another label's.

    Run `whyalike demo` before it for the digits.
    """
    from whyalike.console import progress
    from whyalike.demo import GALLERY
    from whyalike.illustrating import drawn_queries, illustrated, refuse_foreign_page, write_page
    from whyalike.searching import open_local_searcher
    from whyalike.settings import read_settings
    from whyalike.tables import print_written

    settings = read_settings()
    gallery = gallery or (GALLERY if queries is None else None)
    folder = queries or settings.home / "demo" / "queries"
    refuse_foreign_page(out)
    files = drawn_queries(folder, count=count, seed=seed)
    with closing(open_local_searcher(settings, device=device, runtime=runtime)) as searcher:
        asked = [illustrated(file, searcher, gallery, settings) for file in files]
        command = _command(queries, gallery, count=count, seed=seed)
        page = write_page(out, searcher, asked, command=command, progress=progress())
    print_written(page, "page")


def _command(queries: Path | None, gallery: str | None, *, count: int, seed: int) -> str:
    """How the page is made again, without the paths of this machine."""
    folder = [] if queries is None else [queries.resolve().name]
    named = ["--gallery", gallery] if queries is not None and gallery else []
    counted = [] if count == HANDFUL else ["--count", str(count)]
    seeded = [] if seed == SEEDED else ["--seed", str(seed)]
    return shlex.join(["whyalike", "illustrate", *folder, *named, *counted, *seeded])
