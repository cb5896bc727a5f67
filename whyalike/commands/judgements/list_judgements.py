"""`whyalike judgements list`: what people said of the pairs of a gallery."""

from __future__ import annotations

from typing import Annotated

import typer

from whyalike.options import GalleryName, Json


def list_judgements(
    name: GalleryName,
    revoked: Annotated[bool, typer.Option("--revoked", help="Those that were revoked, too.")] = False,
    json: Json = False,
) -> None:
    """List the judgements that stand, the oldest first."""
    from gallery.judgements import Judgements
    from search_api.answers.groups import judgement_schema
    from search_api.schemas.judgements import JudgementList
    from whyalike.home import open_galleries
    from whyalike.judgement_tables import print_judgements
    from whyalike.settings import read_settings
    from whyalike.tables import print_json

    found = Judgements(open_galleries(read_settings()).site(name)).listed(revoked=revoked)
    if json:
        told = [judgement_schema(each) for each in found]
        print_json(JudgementList(judgements=told, next_after=None))
    else:
        print_judgements(found)
