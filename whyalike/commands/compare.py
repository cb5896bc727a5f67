"""`whyalike compare`: how near two pictures are, and why."""

from pathlib import Path
from typing import Annotated

import typer

from whyalike.options import Device, EvidenceFolder, Explained, ExplainedChoice, Json, PublishedGallery


def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="One picture.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="The other picture.")],
    checkpoint: Annotated[
        Path | None, typer.Option("--checkpoint", help="Judge by this encoder instead of a gallery's.")
    ] = None,
    gallery: PublishedGallery = None,
    explained: Explained = ExplainedChoice.cosine,
    evidence: EvidenceFolder = None,
    device: Device = None,
    json: Json = False,
) -> None:
    """Say how near two pictures are by an encoder, and why."""
    from siamese.encoder import Encoder
    from whyalike.errors import UsageError
    from whyalike.evidence import write_pair_evidence
    from whyalike.pictures import upload
    from whyalike.searching import open_local_searcher
    from whyalike.settings import read_settings
    from whyalike.tables import print_json, print_pair

    if checkpoint and gallery:
        raise UsageError(
            "a checkpoint or a gallery judges a pair, not both: leave out --checkpoint or --gallery"
        )
    settings = read_settings()
    pair = upload(a, limits=settings.limits), upload(b, limits=settings.limits)
    encoder = Encoder.load(checkpoint, device=device or settings.device) if checkpoint else None
    searcher = open_local_searcher(settings, device=device)
    try:
        if encoder:
            answer = searcher.compare_by(encoder, *pair, of=explained.value)
        else:
            answer = searcher.compare(*pair, gallery=gallery, of=explained.value)
        written = write_pair_evidence(evidence, searcher, pair, answer, encoder) if evidence else None
    finally:
        searcher.close()
    if json:
        print_json(answer)
    else:
        print_pair(answer, written)
