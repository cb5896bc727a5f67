"""`whyalike gallery erase`: nothing of images that are gone is left on the disk."""

from __future__ import annotations

import typer

from whyalike.options import GalleryName, IndexKind, IndexMemory, IndexRecall, Json, Yes


def erase(
    name: GalleryName,
    index_kind: IndexKind = None,
    recall: IndexRecall = None,
    index_memory: IndexMemory = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Erase what removed, replaced and vanished images left; no older build is kept to go back to.

    Leaves with 1 if something is left, because somebody has an older build open.
    """
    from gallery.erasure import erase as erase_from
    from whyalike.confirming import confirm
    from whyalike.console import progress, say
    from whyalike.gallery_tables import print_erasure
    from whyalike.home import open_galleries
    from whyalike.index_wishes import index_wish
    from whyalike.settings import read_settings
    from whyalike.tables import print_json

    shown, settings = progress(), read_settings()
    galleries = open_galleries(settings)
    wish = index_wish(settings.gallery.index, kind=index_kind, recall=recall, memory_mib=index_memory)
    galleries.site(name)  # a gallery that is not there is told before anything is asked
    if not yes:
        confirm(f"Erase what images that are gone left in {name}, and all builds but the published one?")
    with galleries.tenure(name) as tenure:
        report = erase_from(
            tenure, wish, track=lambda folds: shown.track(folds, description="copying what stays"), tell=say
        )
    print_json(report) if json else print_erasure(report)
    if not report.is_complete:
        raise typer.Exit(1)
