"""`whyalike gallery compact`: small segments and tombstones are folded away."""

from __future__ import annotations

from typing import Annotated

import typer

from whyalike.options import GalleryName, IndexKind, IndexMemory, IndexRecall, Json


def compact(
    name: GalleryName,
    segment_size: Annotated[
        int | None,
        typer.Option("--segment-size", min=1, help="Contents of a segment; by default 16,384."),
    ] = None,
    index_kind: IndexKind = None,
    recall: IndexRecall = None,
    index_memory: IndexMemory = None,
    json: Json = False,
) -> None:
    """Fold small segments and those with many tombstones into larger ones; nothing is embedded again.

    A main index that leaves nothing beside it is built where the gallery is large or --index asks for one.
    """
    from dataclasses import replace

    from gallery.builds.compaction import GOOD_SIZE
    from gallery.builds.compaction import compact as compact_gallery
    from gallery.builds.improvement import check_wish, improve_index
    from whyalike.console import progress, say
    from whyalike.gallery_tables import print_compaction
    from whyalike.home import open_galleries
    from whyalike.index_wishes import index_wish
    from whyalike.settings import read_settings
    from whyalike.tables import print_json

    shown, settings = progress(), read_settings()
    wish = index_wish(settings.gallery.index, kind=index_kind, recall=recall, memory_mib=index_memory)
    with open_galleries(settings).tenure(name) as tenure:
        check_wish(tenure, wish)
        report = compact_gallery(
            tenure,
            size=segment_size or GOOD_SIZE,
            track=lambda folds: shown.track(folds, description="compacting"),
        )
        index = improve_index(tenure, wish, always=True, tell=say)
    report = replace(report, build=index.build, index=index)
    print_json(report) if json else print_compaction(report)
