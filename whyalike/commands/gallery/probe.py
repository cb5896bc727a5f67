"""`whyalike gallery probe`: whether a gallery's index still finds what it found when it was built."""

from __future__ import annotations

from typing import Annotated

import typer

from whyalike.options import GalleryName, Json


def probe(
    name: GalleryName,
    sample: Annotated[int, typer.Option("--sample", min=1, help="How many of its images to ask with.")] = 200,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Draws them.")] = 0,
    json: Json = False,
) -> None:
    """Compare searches with images of the gallery with exact search, and with what its manifest says."""
    from search_api.answers.responses import watch_schema
    from whyalike.errors import UsageError
    from whyalike.home import open_galleries
    from whyalike.probes import drift_of_sample, print_watch
    from whyalike.settings import read_settings
    from whyalike.tables import print_json

    build = open_galleries(read_settings()).open(name)
    try:
        found = drift_of_sample(build, sample=sample, seed=seed)
    finally:
        build.close()
    if found is None:
        raise UsageError(f"the gallery {name} has too few images to compare searches of the ten nearest")
    told = watch_schema(found)
    print_json(told) if json else print_watch(told)
