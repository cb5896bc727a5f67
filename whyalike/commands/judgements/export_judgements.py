"""`whyalike judgements export`: judged pairs, as training reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from whyalike.options import GalleryName


def export_judgements(
    name: GalleryName,
    pairs: Annotated[Path, typer.Argument(metavar="PAIRS.csv", help="The file to write.")],
) -> None:
    """Write the judgements that stand as pairs of files, for `whyalike train --pairs`.

    A content that has no file of this machine in the published build is left out: an upload, for one.
    """
    from gallery.judgements import Judgements
    from whyalike.console import say
    from whyalike.home import open_galleries
    from whyalike.pair_files import write_pair_file
    from whyalike.settings import read_settings

    galleries = open_galleries(read_settings())
    build = galleries.open(name)
    try:
        exported = Judgements(galleries.site(name)).exported(build)
    finally:
        build.close()
    write_pair_file(pairs, exported.pairs)
    lost = f"; {exported.left_out} left out, for a content has no file there" if exported.left_out else ""
    say(f"{name}: {len(exported.pairs)} judged pairs written to {pairs}{lost}")
