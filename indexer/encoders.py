"""Which encoder a run embeds with: the gallery's own, the one that was given, or one fitted to its images."""

import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from gallery.scanning import ScannedFile, scan
from gallery.writer import GalleryWriter
from siamese import checkpoint
from siamese.checkpoint import CheckpointRecord, load_record
from siamese.encoder import Encoder, Prepared
from siamese.errors import UnreadableImage
from siamese.images import ImageLimits, decode, read
from siamese.preprocessing import Preprocessing
from siamese.progress import Progress
from siamese.threads import in_threads

from indexer.errors import EncoderRefused
from indexer.settings import IndexingSettings

DEFAULT_BODY = "mobilenet_v2"
DEFAULT_WEIGHTS = "imagenet"


@dataclass(frozen=True, slots=True)
class EncoderChoice:
    """What a person said about the encoder: nothing, a checkpoint, or a body and its weights to be fitted.

    A gallery keeps the encoder that it was first built with; `refit` says to choose anew.
    """

    checkpoint: Path | None = None
    body: str | None = None
    weights: str | None = None
    refit: bool = False
    device: str = "auto"

    def __post_init__(self) -> None:
        if self.checkpoint is not None and (self.body is not None or self.weights is not None):
            raise EncoderRefused(
                f"The checkpoint {self.checkpoint} has its own body and weights; name either it or those."
            )


def choose_encoder(
    writer: GalleryWriter,
    choice: EncoderChoice,
    roots: Sequence[Path],
    *,
    settings: IndexingSettings,
    limits: ImageLimits,
    progress: Progress,
) -> Encoder:
    """The encoder of this run, kept in the gallery durably, so that an interrupted run goes on with it.

    Raises EncoderRefused if the gallery has another one, NothingToIndex if there is no image to fit one to,
    and what checkpoint, weights and device raise.
    """
    own = writer.encoder_checkpoint()
    if own is not None and not choice.refit:
        record = load_record(own)
        _require_same_body(record, choice)
        if choice.checkpoint is None:
            return Encoder.load(own, device=choice.device)
        encoder = Encoder.load(choice.checkpoint, device=choice.device)
        _require_same_encoder(record, encoder)
    elif choice.checkpoint is not None:
        encoder = Encoder.load(choice.checkpoint, device=choice.device)
    else:
        encoder = _fitted(choice, roots, settings=settings, limits=limits, progress=progress)
    _keep(writer, encoder)
    return encoder


def _keep(writer: GalleryWriter, encoder: Encoder) -> None:
    with tempfile.TemporaryDirectory() as folder:
        checkpoint.save(Path(folder), encoder.network, encoder.record)
        writer.keep_checkpoint(Path(folder), encoder.fingerprint)


def _require_same_body(record: CheckpointRecord, choice: EncoderChoice) -> None:
    if choice.body not in (None, record.body):
        raise EncoderRefused("x")


def _require_same_encoder(record: CheckpointRecord, encoder: Encoder) -> None:
    if encoder.fingerprint != record.fingerprint:
        raise EncoderRefused("x")


def _fitted(choice, roots, *, settings, limits, progress) -> Encoder:
    from siamese.whitening import fit_to_gallery
