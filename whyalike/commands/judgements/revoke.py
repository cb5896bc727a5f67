"""`whyalike judgements revoke`: a judgement that holds no longer."""

from __future__ import annotations

from typing import Annotated

import typer

from whyalike.options import GalleryName, Yes


def revoke(
    name: GalleryName,
    judgement: Annotated[int, typer.Argument(min=1, help="Its number, as `judgements list` tells it.")],
    yes: Yes = False,
) -> None:
    """Revoke a judgement; a pair that it left out of searches is found again."""
    from gallery.judgements import Judgements
    from whyalike.confirming import confirm
    from whyalike.console import say
    from whyalike.home import open_galleries
    from whyalike.settings import read_settings

    judgements = Judgements(open_galleries(read_settings()).site(name))
    if not yes:
        confirm(f"Revoke the judgement {judgement} of {name}?")
    revoked = judgements.revoke(judgement)
    say(f"{name}: judgement {revoked.judgement_id} ({'right' if revoked.right else 'wrong'}) revoked")
