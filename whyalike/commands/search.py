"""`whyalike search`: the images of a gallery that look like this one, and why."""

from pathlib import Path
from typing import Annotated

import typer

from whyalike.options import (
    Candidates,
    Conditions,
    Device,
    EvidenceFolder,
    Explained,
    Json,
    Labels,
    Matches,
    OlderBuild,
    Prefiltered,
    PublishedGallery,
    Runtime,
    SameOnly,
    Scorer,
    ScorerChoice,
)


def search(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="The picture to ask with.")],
    gallery: PublishedGallery = None,
    build: OlderBuild = None,
    k: Matches = None,
    label: Labels = None,
    where: Conditions = None,
    prefilter: Prefiltered = None,
    scorer: Scorer = ScorerChoice.distance,
    candidates: Candidates = None,
    same_only: SameOnly = False,
    explained: Explained = None,
    evidence: EvidenceFolder = None,
    device: Device = None,
    runtime: Runtime = None,
    json: Json = False,
) -> None:
    """Find the images of a gallery that look like this one, and see why."""
    from search_api.accounts import Extras
    from search_api.conditions import conditions
    from whyalike.console import say
    from whyalike.pictures import upload
    from whyalike.searching import open_local_searcher
    from whyalike.settings import read_settings
    from whyalike.summaries import say_notes
    from whyalike.tables import print_json, print_matches

    settings = read_settings()
    query = upload(image, limits=settings.limits)
    searcher = open_local_searcher(settings, device=device, runtime=runtime, build=build)
    try:
        answer = searcher.search(
            query,
            gallery=gallery,
            k=k,
            labels=label or None,
            where=conditions(where),
            prefilter=prefilter.value if prefilter else None,
            scorer=scorer.value,
            candidates=candidates,
            same_only=same_only,
            of=explained.value if explained else None,
            extras=Extras(correspondences=evidence is not None),
        )
        if gallery is None:
            say(f"searched the gallery {answer.gallery}; --gallery names another")
        written = None
        if evidence and answer.matches:
            from whyalike.evidence import write_search_evidence

            written = write_search_evidence(evidence, searcher, query, answer)
    finally:
        searcher.close()
    if json:
        print_json(answer)
    else:
        print_matches(answer, written)
        say_notes([match.evidence for match in answer.matches])
