"""`whyalike why-not`: what kept an image of a gallery from being returned."""

from pathlib import Path
from typing import Annotated

import typer

from whyalike.options import (
    Candidates,
    Conditions,
    Device,
    Json,
    Labels,
    Matches,
    Prefiltered,
    PublishedGallery,
    Runtime,
    SameOnly,
    Scorer,
    ScorerChoice,
)


def why_not(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="The picture to ask with.")],
    wanted: Annotated[
        str,
        typer.Argument(
            metavar="EXPECTED", help="The image that was expected: its file, its uri, or its image_id."
        ),
    ],
    gallery: PublishedGallery = None,
    k: Matches = None,
    label: Labels = None,
    where: Conditions = None,
    prefilter: Prefiltered = None,
    scorer: Scorer = ScorerChoice.distance,
    candidates: Candidates = None,
    same_only: SameOnly = False,
    device: Device = None,
    runtime: Runtime = None,
    json: Json = False,
) -> None:
    """Say why a search with the same options does not return an image, with the numbers of each stage."""
    from search_api.matches.conditions import conditions
    from search_api.matches.ranking import Wish
    from whyalike.console import say
    from whyalike.pictures import upload
    from whyalike.searching import open_local_searcher
    from whyalike.settings import read_settings
    from whyalike.tables import print_json
    from whyalike.why_not_tables import expected, print_why_not

    settings = read_settings()
    query = upload(image, limits=settings.limits)
    wish = Wish(
        k or settings.search.default_k,
        label or None,
        conditions(where),
        prefilter.value if prefilter else None,
        candidates,
        same_only,
    )
    searcher = open_local_searcher(settings, device=device, runtime=runtime)
    try:
        answer = searcher.why_not(query, expected(wanted), gallery=gallery, wish=wish, scorer=scorer.value)
    finally:
        searcher.close()
    if gallery is None:
        say(f"searched the gallery {answer.gallery}; --gallery names another")
    if json:
        print_json(answer)
    else:
        print_why_not(answer)
