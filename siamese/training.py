"""Training: from labelled images and a split to a checkpoint."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel
from torch import Tensor, nn

from siamese.batches import batches_of_epoch
from siamese.bodies import build_body
from siamese.checkpoint import CheckpointRecord, save
from siamese.device import choose_device
from siamese.embedded_samples import embed_samples
from siamese.errors import CheckpointError, TrainingDiverged
from siamese.images import ImageLimits
from siamese.learner import Learner
from siamese.learning_data import LearningData, read_learning_data
from siamese.losses import BatchLoss, build_loss
from siamese.network import EncoderNetwork
from siamese.phases import BodyPhase, HeadPhase, Phase, unfitted_encoder
from siamese.progress import Progress, Silent
from siamese.samples import Sample
from siamese.schedule import cosine_factor, epochs_since_best, plateau_factor, warmup_factor
from siamese.splits import PARTS, Split
from siamese.training_config import PHASES, PhaseName, TrainingConfig
from siamese.training_state import (
    EpochRecord,
    Position,
    best_epoch,
    optimizer_tensors,
    prefixed,
    read_state,
    remove_state,
    restore_optimizer,
    under,
    write_state,
)
from siamese.validation import calibrated, validation_scores


class TrainingReport(BaseModel, frozen=True):
    """What a training did: `best_epoch` is the one whose weights were kept."""

    checkpoint: Path
    record: CheckpointRecord
    history: tuple[EpochRecord, ...]
    best_epoch: int
    sizes: dict[str, int]
    unreadable: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def train(
    samples: Sequence[Sample],
    split: Split,
    config: TrainingConfig,
    out: Path,
    *,
    device: str = "auto",
    resume: bool = False,
    limits: ImageLimits | None = None,
    progress: Progress | None = None,
) -> TrainingReport:
    """Train an encoder on the split's training part and write its checkpoint to the folder `out`.

    `samples` say where the split's files lie. After every epoch the state is written below `out`; `resume`
    continues from it, on a CPU to the very bits of an uninterrupted training. The weights of the epoch with
    the best validation MAP@R are kept, and calibrated on pairs of validation images.

    Raises UnusableData, WeightsUnavailable, DeviceUnavailable, OutOfMemory, TrainingDiverged, and
    CheckpointError where there is nothing to resume, or a training with another config or split.
    """
    chosen = choose_device(device)
    said, bounds = progress or Silent(), limits or ImageLimits()
    start = Position(config=config, split_digest=_digest(split), phase=PHASES[0])
    position, tensors = _resumed(out, start) if resume else (start, {})
    with _own_randomness(config.seed, chosen):
        data = read_learning_data(
            samples, split, preprocessing=config.preprocessing, limits=bounds, progress=said
        )
        network, loss = _built(config, data.label_count, chosen)
        training = _Training(config, data, network, loss, out, chosen, bounds, said, position)
        training.restore(tensors)
        for name in PHASES[PHASES.index(position.phase) :]:
            training.learn(name)
        return training.finish(split)


@dataclass(slots=True, eq=False)
class _Training:
    """A training under way: what never changes, then how far it has come."""

    config: TrainingConfig
    data: LearningData
    network: EncoderNetwork
    loss: BatchLoss
    out: Path
    device: torch.device
    limits: ImageLimits
    progress: Progress
    position: Position
    best: dict[str, Tensor] = field(default_factory=dict)
    moments: dict[str, Tensor] = field(default_factory=dict)

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Take over the tensors of an interrupted training, where there are any."""
        if tensors:
            self.network.load_state_dict(under("network", tensors))
            self.loss.load_state_dict(under("loss", tensors))
            self.best, self.moments = under("best", tensors), under("optimizer", tensors)

    def learn(self, name: PhaseName) -> None:
        """Learn for the epochs of a phase that are left, or until validation has stopped gaining."""
        if self.position.phase != name:
            self.position = self.position.model_copy(update={"phase": name, "epochs": 0})
            self.moments = {}
        if self._has_ended(name):
            return
        phase = self._prepared(name)
        learner = Learner.of(phase, self.network.linear, self.loss, self.config, self.device)
        learner.halvings = self.position.halvings
        restore_optimizer(learner.optimizer, self.moments)
        while not self._has_ended(name):
            started = time.monotonic()
            loss = self._learn_epoch(learner)
            self._record(learner, loss, seconds=time.monotonic() - started)

    def finish(self, split: Split) -> TrainingReport:
        """Keep the best weights, calibrate them, write the checkpoint and remove the training state."""
        self.network.load_state_dict(self.best)
        encoder = unfitted_encoder(self.network, self.config)
        embedded = embed_samples(encoder, self.data.validation, limits=self.limits, progress=self.progress)
        record = encoder.record.model_copy(
            update={
                "calibration": calibrated(embedded),
                "training": self._summary(),
                "split": split.model_dump(mode="json"),
            }
        )
        save(self.out, self.network, record)
        remove_state(self.out)
        unreadable = (*self.data.unreadable, *embedded.unreadable)
        return TrainingReport(
            checkpoint=self.out,
            record=record,
            history=self.position.history,
            best_epoch=best_epoch(self.position.history),
            sizes={part: len(split.usable(part)) for part in PARTS} | {"labels": self.data.label_count},
            unreadable=tuple((one.sample.uri, one.reason) for one in unreadable),
            notes=(*self.data.notes, *self._halving_note()),
        )

    def _has_ended(self, name: PhaseName) -> bool:
        left = self.config.epochs_of(name) - self.position.epochs
        return left <= 0 or epochs_since_best(self._scores()) >= self.config.patience

    def _scores(self) -> list[float]:
        """The deciding scores of this phase's epochs."""
        of_phase = (epoch for epoch in self.position.history if epoch.phase == self.position.phase)
        return [epoch.validation.deciding for epoch in of_phase if epoch.validation]

    def _prepared(self, name: PhaseName) -> Phase:
        if name == "body":
            return BodyPhase.prepared(self.network, self.data, self.config, limits=self.limits)
        return HeadPhase.prepared(
            self.network, self.data, self.config, limits=self.limits, progress=self.progress
        )

    def _learn_epoch(self, learner: Learner) -> float:
        """Learn from every training image once; returns the mean loss of the steps."""
        number = len(self.position.history)
        torch.manual_seed(int(np.random.SeedSequence([self.config.seed, number]).generate_state(1)[0]))
        plan = batches_of_epoch(
            self.data.numbers.tolist(),
            batch_size=self.config.batch_size,
            images_per_label=self.config.images_per_label,
            seed=self.config.seed,
            epoch=number,
        )
        batches = self.progress.track(
            learner.phase.load(plan, epoch=number), description=f"epoch {number + 1}", total=len(plan)
        )
        losses: list[float] = []
        for done, batch in enumerate(batches):
            learner.set_rates(self._rate_factor(self.position.epochs + done / len(plan)))
            losses += learner.learn(batch)
        mean = float(np.mean(losses))
        if not math.isfinite(mean):
            raise TrainingDiverged(
                f"the loss of epoch {number + 1} is {mean}; rates below {self.config.rate} and "
                f"{self.config.body_rate} (of the body) may help"
            )
        return mean

    def _rate_factor(self, progress: float) -> float:
        """Share of the peak rates after `progress` epochs of the phase."""
        rising = warmup_factor(progress, warmup=self.config.warmup)
        if self.config.schedule == "plateau":
            return rising * plateau_factor(self._scores(), patience=self.config.plateau_patience)
        return rising * cosine_factor(progress, epochs=self.config.epochs_of(self.position.phase))

    def _record(self, learner: Learner, loss: float, *, seconds: float) -> None:
        """Validate, keep the weights if they are the best so far, and write the state."""
        epoch = EpochRecord(
            epoch=len(self.position.history) + 1,
            phase=learner.phase.name,
            loss=loss,
            learning_rate=learner.optimizer.param_groups[0]["lr"],
            seconds=seconds,
            validation=validation_scores(learner.phase.validated()),
        )
        history = (*self.position.history, epoch)
        self.position = self.position.model_copy(
            update={"epochs": self.position.epochs + 1, "halvings": learner.halvings, "history": history}
        )
        weights = self.network.state_dict()
        if best_epoch(history) == len(history):
            self.best = {name: tensor.detach().clone() for name, tensor in weights.items()}
        state = {"network": weights, "loss": self.loss.state_dict(), "best": self.best}
        state["optimizer"] = optimizer_tensors(learner.optimizer)
        write_state(
            self.out,
            self.position,
            {
                key: tensor
                for part, tensors in state.items()
                for key, tensor in prefixed(part, tensors).items()
            },
        )

    def _summary(self) -> dict[str, Any]:
        """What the checkpoint says of its training."""
        return {
            "config": self.config.model_dump(mode="json"),
            "device": str(self.device),
            "best_epoch": best_epoch(self.position.history),
            "history": [epoch.model_dump(mode="json") for epoch in self.position.history],
            "torch": torch.__version__,
        }

    def _halving_note(self) -> list[str]:
        if not self.position.halvings:
            return []
        return [
            f"batches were halved {self.position.halvings} times, because {self.device} ran out of memory"
        ]


def _resumed(out: Path, start: Position) -> tuple[Position, dict[str, Tensor]]:
    position, tensors = read_state(out)
    if position.config != start.config or position.split_digest != start.split_digest:
        what = "config" if position.config != start.config else "split"
        raise CheckpointError(f"the training that was interrupted in {out} has another {what}")
    return position, tensors


def _built(config: TrainingConfig, labels: int, device: torch.device) -> tuple[EncoderNetwork, BatchLoss]:
    body = build_body(config.body, weights=config.weights)
    network = EncoderNetwork(body, nn.Linear(body.channels, config.dimension))
    loss = build_loss(config.loss, labels=labels, dimension=config.dimension, margin=config.margin)
    return network.to(device), loss.to(device)


def _digest(split: Split) -> str:
    return hashlib.sha256(split.model_dump_json().encode()).hexdigest()


@contextmanager
def _own_randomness(seed: int, device: torch.device) -> Iterator[None]:
    """Torch's global generators start from the seed, and are given back as they were."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
