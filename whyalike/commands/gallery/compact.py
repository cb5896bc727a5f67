"""`whyalike gallery compact`: small segments and tombstones are folded away."""

from __future__ import annotations

from typing import Annotated

import typer

from whyalike.options import GalleryName, Json


def compact(
    name: GalleryName,
    segment_size: Annotated[
        int | None,
        typer.Option("--segment-size", min=1, help="Contents of a segment; by default 16,384."),
    ] = None,
    json: Json = False,
) -> None:
    """Fold small segments and those with many tombstones into larger ones; nothing is embedded again."""
    from gallery.compaction import GOOD_SIZE
    from gallery.compaction import compact as compact_gallery
    from whyalike.console import progress
    from whyalike.gallery_tables import print_compaction
    from whyalike.home import open_galleries
    from whyalike.settings import read_settings
    from whyalike.tables import print_json

    shown = progress()
    with open_galleries(read_settings()).tenure(name) as tenure:
        report = compact_gallery(
            tenure,
            size=segment_size or GOOD_SIZE,
            track=lambda folds: shown.track(folds, description="compacting"),
        )
    print_json(report) if json else print_compaction(report)
