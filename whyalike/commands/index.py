"""`whyalike index`: pictures, wherever they lie, become a gallery that can be searched."""

from pathlib import Path
from typing import Annotated

import typer

from whyalike.options import (
    BODY_HELP,
    WEIGHTS_HELP,
    Device,
    Fit,
    IndexKind,
    IndexMemory,
    IndexRecall,
    Json,
    LocalStorageChoice,
    Runtime,
)


def index(
    data: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SOURCE]...",
            help="Folders, tables (.csv, .parquet), lists (.txt), shards (.tar) or storage (s3://…); "
            "by default those that the gallery is made of.",
        ),
    ] = None,
    gallery: Annotated[
        str | None,
        typer.Option("--gallery", help="The gallery to make or to bring up to date; by default “default”."),
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option("--checkpoint", help="Embed with this encoder, from `whyalike train`.")
    ] = None,
    body: Annotated[str | None, typer.Option("--body", help=BODY_HELP)] = None,
    weights: Annotated[str | None, typer.Option("--weights", help=WEIGHTS_HELP)] = None,
    image_size: Annotated[
        int | None,
        typer.Option(
            "--image-size",
            min=8,
            help="Pixels of the encoder's square, for a checkpoint too; more make finer heatmaps.",
        ),
    ] = None,
    fit: Fit = None,
    local_embeddings: Annotated[
        LocalStorageChoice | None,
        typer.Option(
            "--local-embeddings",
            help="How to keep what heatmaps are made of; none computes it again for each answer. "
            "Another way than the gallery's embeds everything again.",
        ),
    ] = None,
    refit: Annotated[
        bool, typer.Option("--refit", help="Choose the gallery's encoder anew and embed everything again.")
    ] = False,
    allow_empty: Annotated[
        bool,
        typer.Option("--allow-empty", help="A folder that had images and has none now is meant to be empty."),
    ] = False,
    retry_failed: Annotated[
        bool,
        typer.Option(
            "--retry-failed", help="Read files again that could not be read, though they have not changed."
        ),
    ] = False,
    rehash: Annotated[
        bool,
        typer.Option("--rehash", help="Read every file, also those whose size and time have not changed."),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Tell what would change; nothing is embedded, and nothing written."),
    ] = False,
    errors: Annotated[
        Path | None,
        typer.Option("--errors", metavar="FILE", help="Write the files that could not be read here, as CSV."),
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option("--batch-size", min=1, help="Images that are embedded at once.")
    ] = None,
    index_kind: IndexKind = None,
    recall: IndexRecall = None,
    index_memory: IndexMemory = None,
    device: Device = None,
    runtime: Runtime = None,
    json: Json = False,
) -> None:
    """Make pictures, wherever they lie, a gallery; running it again does only what is new.

    Without a checkpoint the encoder has ImageNet weights, is fitted to the gallery's first images, and kept.
    """
    from indexer.encoders import EncoderChoice
    from indexer.indexing import index as index_gallery
    from indexer.options import IndexingOptions
    from indexer.rehearsal import rehearse
    from search_api.loaded.builds import DEFAULT_GALLERY
    from siamese.bodies import UNTRAINED
    from whyalike.computing import choose_computing
    from whyalike.console import progress, say
    from whyalike.errors import UsageError
    from whyalike.home import open_galleries
    from whyalike.index_wishes import index_wish
    from whyalike.settings import read_settings
    from whyalike.sources import named_sources
    from whyalike.summaries import print_indexing, print_preview, say_unreadable
    from whyalike.tables import print_json
    from whyalike.unread_files import check_errors_file, write_errors

    if checkpoint and (body or weights):
        raise UsageError(
            f"the checkpoint {checkpoint} has its own body and weights: leave out --body and --weights"
        )
    if checkpoint and fit:
        raise UsageError(f"the checkpoint {checkpoint} was trained with a fit of its own: leave out --fit")
    if dry_run and errors:
        raise UsageError("--dry-run reads no pictures, so it knows no errors: leave out --errors")
    if errors is not None:
        check_errors_file(errors)
    if weights == UNTRAINED:
        say(
            "Warning: without weights the network has learned nothing. What it finds alike, and why, means "
            "little; take ImageNet's, or an encoder from `whyalike train`."
        )
    settings = read_settings()
    computing = choose_computing(settings, device=device, runtime=runtime)
    update = {} if batch_size is None else {"batch_size": batch_size}
    galleries = open_galleries(settings)
    name = DEFAULT_GALLERY if gallery is None else gallery
    named = named_sources(galleries, name, data or [])
    choice = EncoderChoice(
        checkpoint,
        body,
        weights,
        refit,
        computing.device,
        computing.runtime,
        computing.graphs,
        image_size,
        fit.value if fit else None,
    )
    options = IndexingOptions(
        settings=settings.indexing.model_copy(update=update),
        limits=settings.limits,
        fetching=settings.fetching,
        progress=progress(),
        local_embeddings=local_embeddings.value if local_embeddings else None,
        allow_empty=allow_empty,
        wish=index_wish(settings.gallery.index, kind=index_kind, recall=recall, memory_mib=index_memory),
        tell=say,
        retry_failed=retry_failed,
        rehash=rehash,
    )
    if dry_run:
        preview = rehearse(galleries, name, named, choice, options)
        if json:
            print_json(preview)
        else:
            print_preview(preview)
        return
    report = index_gallery(galleries, name, named, choice, options)
    if errors is not None:
        write_errors(errors, report.unreadable)
    say_unreadable([(each.uri, each.reason) for each in report.unreadable])
    if json:
        print_json(report)
    else:
        print_indexing(report)
