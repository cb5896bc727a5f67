"""`whyalike search`: the images of a gallery that look like this one, and why."""

from typing import Annotated

import typer

from whyalike.choice_options import (
    After,
    Fold,
    GroupBy,
    GroupSize,
    IncludeJudged,
    MaxDistance,
    MinProbability,
)
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
    image: Annotated[
        str,
        typer.Argument(
            metavar="IMAGE", help="The picture to ask with: a file, the image_id of a stored one, or a URL."
        ),
    ],
    gallery: PublishedGallery = None,
    build: OlderBuild = None,
    k: Matches = None,
    crop: Annotated[
        str | None,
        typer.Option(
            "--crop",
            metavar="REGION",
            help="Ask with a part of the picture: left,top,right,bottom in shares of it (0.1,0.2,0.5,0.6) or "
            "in pixels (40,30,200,180px).",
        ),
    ] = None,
    mask: Annotated[
        list[str] | None,
        typer.Option("--mask", metavar="REGION", help="Ignore this region of the picture; may be repeated."),
    ] = None,
    plus: Annotated[
        list[str] | None,
        typer.Option("--plus", metavar="[WEIGHT:]IMAGE", help="Ask with this picture, too; may be repeated."),
    ] = None,
    minus: Annotated[
        list[str] | None,
        typer.Option(
            "--minus", metavar="[WEIGHT:]IMAGE", help="And for what is unlike this one; may be repeated."
        ),
    ] = None,
    label: Labels = None,
    where: Conditions = None,
    prefilter: Prefiltered = None,
    scorer: Scorer = ScorerChoice.distance,
    candidates: Candidates = None,
    same_only: SameOnly = False,
    min_probability: MinProbability = None,
    max_distance: MaxDistance = None,
    group_by: GroupBy = None,
    group_size: GroupSize = 1,
    fold: Fold = False,
    include_judged: IncludeJudged = False,
    cursor: After = None,
    explained: Explained = None,
    evidence: EvidenceFolder = None,
    device: Device = None,
    runtime: Runtime = None,
    json: Json = False,
) -> None:
    """Find the images of a gallery that look like this one, and see why."""
    from search_api.evidence.accounts import Extras
    from search_api.matches.choosing import Choice
    from search_api.matches.conditions import conditions
    from search_api.matches.cursors import Cursor
    from whyalike.console import say
    from whyalike.questions import pictured, question
    from whyalike.searching import open_local_searcher
    from whyalike.settings import read_settings
    from whyalike.summaries import say_notes
    from whyalike.tables import print_json, print_matches

    settings = read_settings()
    after = Cursor.parse(cursor) if cursor else None
    choice = Choice(min_probability, max_distance, group_by, group_size, fold, after, include_judged)
    query = question(image, crop=crop, masked=mask, plus=plus, minus=minus, limits=settings.limits)
    drawn = pictured(query) if evidence else None
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
            choice=choice,
        )
        if gallery is None:
            say(f"searched the gallery {answer.gallery}; --gallery names another")
        written = None
        if evidence and drawn and answer.matches:
            from whyalike.evidence import write_search_evidence

            written = write_search_evidence(evidence, searcher, drawn, answer)
        if where and not answer.matches:
            with searcher.builds.lend(answer.gallery) as (opened, _):
                for sentence in opened.narrowing.unmet(conditions(where)):
                    say(sentence)
    finally:
        searcher.close()
    if json:
        print_json(answer)
    else:
        print_matches(answer, written)
        say_notes([match.evidence for match in answer.matches])
