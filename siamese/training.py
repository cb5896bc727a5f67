"""Training: from labelled images and a split to a checkpoint."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import torch
from pydantic import BaseModel
from torch import Tensor, nn

from siamese.bodies import build_body
from siamese.calibration import Calibration
from siamese.checkpoint import CheckpointRecord, save
from siamese.course import Course
from siamese.device import choose_device
from siamese.embedded_samples import EmbeddedSamples, embed_samples
from siamese.errors import CheckpointError
from siamese.head_calibration import calibrated_heads
from siamese.images import DEFAULT_LIMITS, ImageLimits
from siamese.learned import Learned
from siamese.learning_data import read_learning_data
from siamese.lessons import Lessons
from siamese.losses import build_loss
from siamese.network import EncoderNetwork
from siamese.phases import unfitted_encoder
from siamese.pictures import MEMORY_BUDGET
from siamese.preprocessing import Preprocessing
from siamese.progress import Progress, Silent
from siamese.samples import Sample
from siamese.splits import PARTS, Split
from siamese.training_config import PHASES, TrainingConfig
from siamese.training_state import EpochRecord, Position, best_epoch, read_state, remove_state
from siamese.validation import calibrated, calibrated_on_shown


class TrainingReport(BaseModel, frozen=True):
    """What a training did: `best_epoch` is the one whose weights were kept.

    `sizes` counts the distinct contents of each part, and the labels; `unreadable` are (uri, reason); `notes`
    are sentences about what the data or the device made impossible.
    """

    checkpoint: Path
    record: CheckpointRecord
    history: tuple[EpochRecord, ...]
    best_epoch: int
    sizes: dict[str, int]
    unreadable: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]

    def curves(self) -> list[dict[str, float | None]]:
        """One flat mapping of numbers per epoch, as a picture of the training wants them."""
        return [epoch.numbers() for epoch in self.history]


class Read(Protocol):
    """Reads what is learned from: images with labels, or labelled pairs of them."""

    def __call__(
        self, *, preprocessing: Preprocessing, limits: ImageLimits, progress: Progress, budget: int
    ) -> Lessons:
        """Raises UnusableData where nothing can be learned."""


def train(
    samples: Sequence[Sample],
    split: Split,
    config: TrainingConfig,
    out: Path,
    *,
    device: str = "auto",
    resume: bool = False,
    limits: ImageLimits = DEFAULT_LIMITS,
    progress: Progress | None = None,
) -> TrainingReport:
    """Train an encoder on the split's training part and write its checkpoint to the folder `out`.

    `samples` say where the files of the split lie. After every epoch the state is written below `out`;
    `resume` continues from it, on a CPU to the very bits of an uninterrupted training. The weights of the
    epoch with the best validation MAP@R are kept, and calibrated on pairs of validation images.

    Raises UnusableData, WeightsUnavailable, DeviceUnavailable, OutOfMemory, TrainingDiverged, and
    CheckpointError where there is nothing to resume, or a training with another config or split.
    """
    read = partial(read_learning_data, samples, split)
    return train_on(read, split, config, out, device=device, resume=resume, limits=limits, progress=progress)


def train_on(
    read: Read,
    split: Split,
    config: TrainingConfig,
    out: Path,
    *,
    device: str,
    resume: bool,
    limits: ImageLimits,
    progress: Progress | None,
) -> TrainingReport:
    """The same from whatever `read` reads: images with labels, or labelled pairs of them."""
    chosen = choose_device(device)
    said = progress or Silent()
    position = Position(config=config, split_digest=_digest(split), phase=PHASES[0])
    tensors: dict[str, Tensor] = {}
    if resume:
        position, tensors = _interrupted(out, position)
    with _own_randomness(config.seed, chosen):
        data = read(
            preprocessing=config.preprocessing,
            limits=limits,
            progress=said,
            budget=MEMORY_BUDGET if config.epochs_of("body") else 0,  # a frozen body's features are enough
        )
        learned = _built(config, len(data.labels)).to(chosen)
        course = Course(config, data, learned, out, chosen, limits, said, position)
        course.restore(tensors)
        for phase in PHASES[PHASES.index(position.phase) :]:
            course.learn(phase)
        return _finished(course, split)


def _interrupted(out: Path, start: Position) -> tuple[Position, dict[str, Tensor]]:
    position, tensors = read_state(out)
    for what in ("config", "split_digest"):
        if getattr(position, what) != getattr(start, what):
            name = what.removesuffix("_digest")
            raise CheckpointError(f"the training that was interrupted in {out} has another {name}")
    return position, tensors


def _built(config: TrainingConfig, labels: int) -> Learned:
    body = build_body(config.body, weights=config.weights)
    network = EncoderNetwork(body, nn.Linear(body.channels, config.dimension))
    loss = build_loss(
        config.loss,
        labels=labels,
        dimension=config.dimension,
        margin=config.margin,
        class_head=config.class_head,
    )
    return Learned(network, loss)


def _finished(course: Course, split: Split) -> TrainingReport:
    """Keep the best weights, calibrate them, write the checkpoint and remove the training state."""
    course.learned.load_state_dict(course.best)
    encoder = unfitted_encoder(course.learned.network, course.config)
    embedded = embed_samples(
        encoder,
        course.data.validation,
        limits=course.limits,
        progress=course.progress,
        description="calibrating",
    )
    pairs = course.data.judged(embedded)
    fitted = {
        "calibration": calibrated(embedded, pairs),
        "shown": _calibrated_on_shown(course, embedded),
        "training": _summary(course),
    }
    heads, fitted["heads"] = calibrated_heads(course.learned.loss.heads(course.data.labels), embedded, pairs)
    record = encoder.record.model_copy(update={**fitted, "split": split.model_dump(mode="json")})
    save(course.out, course.learned.network, record, heads=heads)
    remove_state(course.out)
    return TrainingReport(
        checkpoint=course.out,
        record=record,
        history=course.position.history,
        best_epoch=best_epoch(course.position.history),
        sizes={part: len(split.usable(part)) for part in PARTS} | course.data.sizes,
        unreadable=tuple(
            (one.sample.uri, one.reason) for one in (*course.data.unreadable, *embedded.unreadable)
        ),
        notes=(*course.data.notes, *_halving_note(course)),
    )


def _calibrated_on_shown(course: Course, embedded: EmbeddedSamples) -> Calibration:
    """On the training images that each validation image would be shown; labels say which of them are same."""
    if not course.data.labels:
        return Calibration.unfitted("pairs were judged, and no label says what a search shows rightly")
    references = embed_samples(
        unfitted_encoder(course.learned.network, course.config),
        course.data.pictures.samples if embedded.samples else (),
        limits=course.limits,
        progress=course.progress,
        description="calibrating on what a search shows",
    )
    return calibrated_on_shown(embedded, references)


def _summary(course: Course) -> dict[str, Any]:
    """What the checkpoint says of its training."""
    return {
        "config": course.config.model_dump(mode="json"),
        "device": str(course.device),
        "torch": torch.__version__,
        "best_epoch": best_epoch(course.position.history),
        "history": [epoch.model_dump(mode="json") for epoch in course.position.history],
    }


def _halving_note(course: Course) -> list[str]:
    halvings = course.position.halvings
    return [f"{course.device} ran out of memory: batches were halved {halvings} times"] if halvings else []


def _digest(split: Split) -> str:
    return hashlib.sha256(split.model_dump_json().encode()).hexdigest()


@contextmanager
def _own_randomness(seed: int, device: torch.device) -> Iterator[None]:
    """Torch's global generators start from the seed, and are given back as they were."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
