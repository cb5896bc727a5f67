"""`whyalike calibrate`: what distances mean in a labelled gallery of one's own."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from whyalike.options import Device, Json, Runtime

if TYPE_CHECKING:
    from siamese.embedded_samples import EmbeddedSamples
    from siamese.images import ImageLimits
    from whyalike.computing import Computing


def calibrate(
    gallery: Annotated[
        str, typer.Argument(metavar="GALLERY", help="A gallery whose images lie in folders by label.")
    ],
    queries: Annotated[
        Path | None,
        typer.Option(
            "--queries", metavar="DIR", help="Ask with these images, in folders by label, not with its own."
        ),
    ] = None,
    device: Device = None,
    runtime: Runtime = None,
    json: Json = False,
) -> None:
    """Fit probability and verdict to the labels of a gallery, from what it has stored.

    The gallery is not embedded anew: the encoder, its fingerprint and the build stay as they are, and a
    running service goes by the new calibration from its next answer on.
    """
    from functools import partial

    from whyalike.calibrating import calibrate_gallery
    from whyalike.calibration_summary import print_calibration
    from whyalike.computing import choose_computing
    from whyalike.home import open_galleries
    from whyalike.settings import read_settings
    from whyalike.tables import print_json

    settings = read_settings()
    ask = None
    if queries:
        computing = choose_computing(settings, device=device, runtime=runtime)
        ask = partial(_embedded, queries, computing, settings.limits)
    report = calibrate_gallery(open_galleries(settings), gallery, ask=ask)
    if json:
        print_json(report)
    else:
        print_calibration(report)


def _embedded(
    queries: Path, computing: "Computing", limits: "ImageLimits", checkpoint: Path
) -> "EmbeddedSamples":
    """The images of a folder by the checkpoint's encoder, without those whose bytes have two labels."""
    from siamese.embedded_samples import embed_samples
    from siamese.samples import conflicting_checksums
    from whyalike.console import progress
    from whyalike.folders import read_folder
    from whyalike.summaries import say_unreadable

    shown = progress()
    encoder = computing.load(checkpoint)
    folder = read_folder(queries, limits=limits, progress=shown)
    conflicts = conflicting_checksums(folder.samples)
    asking = [sample for sample in folder.samples if sample.checksum not in conflicts]
    embedded = embed_samples(encoder, asking, limits=limits, progress=shown)
    say_unreadable([*folder.unreadable, *((one.sample.uri, one.reason) for one in embedded.unreadable)])
    return embedded
