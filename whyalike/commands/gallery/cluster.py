"""`whyalike gallery cluster`: images that look alike, where nobody has labelled them."""

from __future__ import annotations

from typing import Annotated

import typer

from whyalike.options import CsvFile, GalleryName, Json, PageFile


def cluster(
    name: GalleryName,
    count: Annotated[
        int | None,
        typer.Option("--count", min=1, help="How many clusters; by default as many as the images support."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the draws that clustering makes.")] = 0,
    csv: CsvFile = None,
    page: PageFile = None,
    json: Json = False,
) -> None:
    """Part the images of a gallery into clusters that look alike to its encoder, each with an exemplar.

    Nothing is embedded or changed. The CSV is a table that `whyalike index` takes: index it, and searches can
    be narrowed by --where 'cluster = 3'.
    """
    from whyalike.clusters import TOLD, clusters_of, print_clusters
    from whyalike.gallery_groups import write_groups_csv, write_groups_page
    from whyalike.home import open_galleries
    from whyalike.settings import read_settings
    from whyalike.tables import print_json

    build = open_galleries(read_settings()).open(name)
    try:
        report = clusters_of(build, count=count, seed=seed)
        if csv:
            write_groups_csv(csv, [each.images for each in report.clusters], name="cluster")
        if page:
            groups = [(each.heading, each.images) for each in report.clusters]
            write_groups_page(page, build, groups, title="Clusters", told=TOLD)
    finally:
        build.close()
    print_json(report) if json else print_clusters(report, csv, page)
