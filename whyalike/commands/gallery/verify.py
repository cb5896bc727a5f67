"""`whyalike gallery verify`: the proof that a gallery is whole."""

from __future__ import annotations

from typing import Annotated

import typer

from whyalike.options import GalleryName, Json


def verify(
    name: GalleryName,
    quick: Annotated[
        bool, typer.Option("--quick", help="Look at sizes and records, and read no file of a segment.")
    ] = False,
    originals: Annotated[
        bool,
        typer.Option("--originals", help="Read every original, too: which are gone or have changed."),
    ] = False,
    json: Json = False,
) -> None:
    """Prove that everything that should be searchable is, and that no byte has changed; changes nothing.

    Leaves with 1 if something is wrong.
    """
    from gallery.proof.verification import verify as verify_gallery
    from whyalike.checkpoint_faults import checkpoint_fault
    from whyalike.gallery_proofs import print_verification
    from whyalike.home import open_galleries
    from whyalike.settings import read_settings
    from whyalike.tables import print_json

    site = open_galleries(read_settings()).site(name)
    found = verify_gallery(site, quick=quick, originals=originals, checkpoint_fault=checkpoint_fault)
    print_json(found) if json else print_verification(found)
    if not found.clean:
        raise typer.Exit(1)
