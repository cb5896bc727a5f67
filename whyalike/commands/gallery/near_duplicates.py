"""`whyalike gallery near-duplicates`: images that hold the same shot."""

from __future__ import annotations

from typing import Annotated

import typer

from whyalike.options import CsvFile, GalleryName, Json, PageFile


def near_duplicates(
    name: GalleryName,
    across_labels: Annotated[
        bool,
        typer.Option("--across-labels", help="Only groups whose images have different labels."),
    ] = False,
    csv: CsvFile = None,
    page: PageFile = None,
    json: Json = False,
) -> None:
    """Find images that are the same bytes, or the same shot re-encoded, resized or recoloured, in groups.

    Nothing is embedded or changed: the thumbnails that the gallery keeps are compared.
    """
    from whyalike.console import progress
    from whyalike.duplicates import CONFIRMED, near_duplicates_of, print_duplicates
    from whyalike.gallery_groups import write_groups_csv, write_groups_page
    from whyalike.home import open_galleries
    from whyalike.settings import read_settings
    from whyalike.tables import print_json

    build = open_galleries(read_settings()).open(name)
    try:
        report = near_duplicates_of(build, progress=progress(), across_labels=across_labels)
        if csv:
            write_groups_csv(csv, [group.images for group in report.groups])
        if page:
            groups = [(group.heading, group.images) for group in report.groups]
            write_groups_page(page, build, groups, title="Near-duplicates", told=CONFIRMED)
    finally:
        build.close()
    print_json(report) if json else print_duplicates(report, csv, page)
