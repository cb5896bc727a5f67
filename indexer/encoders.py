"""Which encoder a run embeds with: the gallery's own, the one that was given, or one fitted to its images."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch

from gallery.writer import GalleryWriter
from indexer.errors import EncoderRefused
from indexer.fitting import fit_encoder
from indexer.settings import IndexingSettings
from indexer.sources import Sources
from siamese import checkpoint
from siamese.checkpoint import CheckpointRecord, load_record
from siamese.encoder import Encoder
from siamese.fingerprint import short
from siamese.images import ImageLimits
from siamese.onnx_runtime import Runtime
from siamese.preprocessing import Fit, Preprocessing
from siamese.progress import Progress
from siamese.resizing import resized

DEFAULT_BODY = "mobilenet_v2"
DEFAULT_WEIGHTS = "imagenet"


@dataclass(frozen=True, slots=True)
class EncoderChoice:
    """What a person said about the encoder: nothing, a checkpoint, or a body and its weights to be fitted.

    A gallery keeps the encoder that it was first built with; `refit` says to choose anew. `runtime` computes
    what is embedded with it, and `graphs` is where graphs for that are kept; fitting is PyTorch's.
    `image_size` is the side of its square in pixels, by default the checkpoint's own; `fit` says whether
    pictures are cropped to a square or padded to one, by an encoder that is fitted here.
    """

    checkpoint: Path | None = None
    body: str | None = None
    weights: str | None = None
    refit: bool = False
    device: str = "auto"
    runtime: Runtime = "torch"
    graphs: Path | None = None
    image_size: int | None = None
    fit: Fit | None = None

    def __post_init__(self) -> None:
        if self.checkpoint is not None and (self.body is not None or self.weights is not None):
            raise EncoderRefused(
                f"The checkpoint {self.checkpoint} has its own body and weights; name either it or those."
            )
        if self.checkpoint is not None and self.fit is not None:
            raise EncoderRefused(
                f"The checkpoint {self.checkpoint} was trained with a fit of its own; leave out {self.fit!r}."
            )


def choose_encoder(
    writer: GalleryWriter,
    choice: EncoderChoice,
    sources: Sources,
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
        try:
            return _own_encoder(writer, own, choice)
        except EncoderRefused:
            if writer.has_embedded(load_record(own).fingerprint):  # else nothing binds the gallery to it yet
                raise
    if choice.checkpoint is not None:
        return _kept(writer, _given(choice.checkpoint, choice))
    raw = _raw_encoder(choice, body=choice.body or DEFAULT_BODY)
    return _kept(writer, fit_encoder(raw, sources, settings=settings, limits=limits, progress=progress))


def _own_encoder(writer: GalleryWriter, own: Path, choice: EncoderChoice) -> Encoder:
    encoder = Encoder.load(own, device=choice.device)
    if choice.checkpoint is not None:
        given = _given(choice.checkpoint, choice)
        if given.fingerprint != encoder.fingerprint:
            raise _refusal(encoder.record, f"not {given.name} ({short(given.fingerprint)})")
        return _kept(writer, given)  # the same embeddings; its calibration may be a newer one
    if choice.body not in (None, encoder.record.body):
        raise _refusal(encoder.record, f"whose body is {encoder.record.body}, not {choice.body}")
    square = encoder.preprocessing.image_size
    if choice.image_size not in (None, square):
        raise _refusal(encoder.record, f"which takes {square} pixels, not {choice.image_size}")
    fit = encoder.preprocessing.fit
    if choice.fit not in (None, fit):
        raise _refusal(encoder.record, f"which takes pictures by {fit}, not by {choice.fit}")
    if not _has_weights(encoder, choice):
        raise _refusal(encoder.record, f"whose body has other weights than {choice.weights}")
    return encoder


def _given(checkpoint: Path, choice: EncoderChoice) -> Encoder:
    encoder = Encoder.load(checkpoint, device=choice.device)
    return encoder if choice.image_size is None else resized(encoder, choice.image_size)


def _has_weights(encoder: Encoder, choice: EncoderChoice) -> bool:
    """Whether the encoder's body has the weights asked for; "none" asks for no particular ones."""
    if choice.weights in (None, "none"):
        return True
    theirs = _raw_encoder(choice, body=encoder.record.body).network.body.state_dict()
    own = encoder.network.body.state_dict()
    return all(torch.equal(own[name], tensor) for name, tensor in theirs.items())


def _raw_encoder(choice: EncoderChoice, *, body: str) -> Encoder:
    weights = choice.weights or DEFAULT_WEIGHTS
    wished = {"image_size": choice.image_size, "fit": choice.fit}
    chosen = {name: value for name, value in wished.items() if value is not None}
    preprocessing = Preprocessing.of_new_encoders(**chosen)
    return Encoder.from_body(body, weights=weights, preprocessing=preprocessing, device=choice.device)


def _refusal(own: CheckpointRecord, difference: str) -> EncoderRefused:
    return EncoderRefused(
        f"The gallery's images were embedded by {own.name} ({short(own.fingerprint)}), "
        f"{difference}; leave the choice to the gallery, or embed all of its images anew: --refit with "
        "--checkpoint takes that encoder, and --refit alone fits one without labels."
    )


def _kept(writer: GalleryWriter, encoder: Encoder) -> Encoder:
    with tempfile.TemporaryDirectory() as folder:
        checkpoint.save(Path(folder), encoder.network, encoder.record, heads=encoder.heads)
        writer.keep_checkpoint(Path(folder), encoder.fingerprint)
    return encoder
