"""`whyalike gallery swap`: another encoder for a gallery, without an hour in which nothing is found."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from whyalike.options import Device, GalleryName, Json, PageFile, Runtime, Yes

swap = typer.Typer(name="swap", help="Give a gallery another encoder, compared first.", no_args_is_help=True)


@swap.command()
def start(
    name: GalleryName,
    checkpoint: Annotated[
        Path, typer.Option("--checkpoint", help="The encoder that is to take over, from `whyalike train`.")
    ],
    device: Device = None,
    runtime: Runtime = None,
    json: Json = False,
) -> None:
    """Embed a gallery by another encoder beside its own; run again, it goes on where it was."""
    from indexer.backfill import backfill
    from whyalike.computing import choose_computing
    from whyalike.console import progress
    from whyalike.home import open_galleries
    from whyalike.settings import read_settings
    from whyalike.swap_tables import print_backfill
    from whyalike.tables import print_json

    settings = read_settings()
    computing = choose_computing(settings, device=device, runtime=runtime)
    report = backfill(
        open_galleries(settings),
        name,
        checkpoint,
        computing.load(checkpoint),
        settings=settings.indexing,
        limits=settings.limits,
        fetching=settings.fetching,
        progress=progress(),
    )
    print_json(report) if json else print_backfill(report)
    if report.successor.lacking:
        raise typer.Exit(1)


@swap.command()
def compare(
    name: GalleryName,
    queries: Annotated[
        int, typer.Option("--queries", min=1, help="Images of the gallery to ask with.")
    ] = 200,
    k: Annotated[int, typer.Option("-k", "--k", min=1, help="Matches of each that are compared.")] = 10,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Draws the queries.")] = 0,
    page: PageFile = None,
    json: Json = False,
) -> None:
    """Ask both encoders with the same images: what stays, what changes, who finds the right label."""
    from gallery.swaps.churn import churn
    from gallery.swaps.successors import successor
    from gallery.swaps.swap import open_successor
    from whyalike.home import open_galleries
    from whyalike.settings import read_settings
    from whyalike.swap_page import write_swap_page
    from whyalike.swap_tables import print_churn
    from whyalike.tables import print_json

    galleries = open_galleries(read_settings())
    site = galleries.site(name)
    after = open_successor(site, successor(site))
    before = galleries.open(name)
    try:
        found = churn(before, after, queries=queries, k=k, seed=seed)
        if page:
            write_swap_page(page, before, after, found)
    finally:
        before.close()
        after.close()
    print_json(found) if json else print_churn(found, page)


@swap.command()
def activate(name: GalleryName, json: Json = False) -> None:
    """Let the other encoder take over: the same images and ids, in one step; `rollback` goes back."""
    from gallery.builds.improvement import improve_index
    from gallery.swaps.successors import successor
    from gallery.swaps.swap import activate as activate_successor
    from whyalike.console import say
    from whyalike.home import open_galleries
    from whyalike.index_wishes import index_wish
    from whyalike.settings import read_settings
    from whyalike.swap_tables import Activation, print_activation
    from whyalike.tables import print_json

    settings = read_settings()
    wish = index_wish(settings.gallery.index, kind=None, recall=None, memory_mib=None)
    with open_galleries(settings).tenure(name) as tenure:
        refused = successor(tenure.site).refused
        manifest = activate_successor(tenure)
        build = improve_index(tenure, wish, tell=say).build
        activation = Activation.of(manifest.model_copy(update={"build": build}), unreadable=refused)
    print_json(activation) if json else print_activation(activation)


@swap.command()
def abandon(name: GalleryName, yes: Yes = False) -> None:
    """Forget the other encoder and all that it has embedded."""
    from gallery.swaps.successors import abandon as abandon_successor
    from gallery.swaps.successors import successor
    from whyalike.confirming import confirm
    from whyalike.console import say
    from whyalike.home import open_galleries
    from whyalike.settings import read_settings

    galleries = open_galleries(read_settings())
    swap = successor(galleries.site(name))
    if not yes:
        confirm(f"Forget what {swap.encoder_name} has embedded ({swap.embedded} contents)?")
    with galleries.tenure(name) as tenure:
        abandon_successor(tenure)
    with galleries.writer(name, create=False):
        pass  # removes what nobody names
    say(f"{name}: the swap to {swap.encoder_name} is abandoned")
