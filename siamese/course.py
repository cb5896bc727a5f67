"""A training under way: its epochs, one after another, and what is kept of each."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from siamese.errors import TrainingDiverged
from siamese.images import ImageLimits
from siamese.learned import Learned
from siamese.learner import Learner
from siamese.lessons import Lessons
from siamese.phases import BodyPhase, HeadPhase, Phase
from siamese.progress import Progress
from siamese.schedule import cosine_factor, epochs_since_best, plateau_factor, warmup_factor
from siamese.training_config import PhaseName, TrainingConfig
from siamese.training_state import (
    EpochRecord,
    Position,
    best_epoch,
    optimizer_tensors,
    prefixed,
    restore_optimizer,
    under,
    write_state,
)


@dataclass(slots=True, eq=False)
class Course:
    """What is trained, with what; then how far it has come.

    `best` is what was to be kept of the best epoch so far; `moments` are those of the optimizer that was
    interrupted, `average` are the weights that were averaged till then.
    """

    config: TrainingConfig
    data: Lessons
    learned: Learned
    out: Path
    device: torch.device
    limits: ImageLimits
    progress: Progress
    position: Position
    best: dict[str, Tensor] = field(default_factory=dict)
    moments: dict[str, Tensor] = field(default_factory=dict)
    average: dict[str, Tensor] = field(default_factory=dict)

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Take over the tensors of an interrupted training, where there are any."""
        if tensors:
            self.learned.load_state_dict(under("learned", tensors))
            self.best, self.moments = under("best", tensors), under("optimizer", tensors)
            self.average = under("average", tensors)

    def learn(self, name: PhaseName) -> None:
        """Learn for the epochs of a phase that are left, or until validation has stopped gaining."""
        if self.position.phase != name:
            self.position = self.position.model_copy(update={"phase": name, "epochs": 0})
            self.moments, self.average = {}, {}
        if self._has_ended(name):
            return
        learner = self._learner(name)
        while not self._has_ended(name):
            started = time.monotonic()
            loss = self._learn_epoch(learner)
            self._keep(learner, loss, seconds=time.monotonic() - started)

    def _has_ended(self, name: PhaseName) -> bool:
        left = self.config.epochs_of(name) - self.position.epochs
        return left <= 0 or epochs_since_best(self._scores()) >= self.config.patience

    def _scores(self) -> list[float]:
        """The deciding scores of this phase's epochs."""
        of_phase = (epoch for epoch in self.position.history if epoch.phase == self.position.phase)
        return [epoch.validation.deciding for epoch in of_phase if epoch.validation]

    def _learner(self, name: PhaseName) -> Learner:
        """The learner of a phase, as it was left where it was interrupted."""
        learner = Learner.of(self._prepared(name), self.learned, self.config, self.device)
        learner.halvings = self.position.halvings
        restore_optimizer(learner.optimizer, self.moments)
        if learner.average and self.average:
            learner.average.load_state_dict(self.average)
        return learner

    def _prepared(self, name: PhaseName) -> Phase:
        kind, network = HeadPhase if name == "head" else BodyPhase, self.learned.network
        return kind.prepared(network, self.data, self.config, limits=self.limits, progress=self.progress)

    def _learn_epoch(self, learner: Learner) -> float:
        """Learn once from all that there is; returns the mean loss of the steps."""
        number = len(self.position.history)
        torch.manual_seed(int(np.random.SeedSequence([self.config.seed, number]).generate_state(1)[0]))
        plan = self.data.plan(self.config, epoch=number)
        batches = self.progress.track(
            learner.phase.load(plan, epoch=number), description=f"epoch {number + 1}", total=len(plan)
        )
        losses: list[float] = []
        for done, batch in enumerate(batches):
            learner.set_rates(self._rate_factor(self.position.epochs + done / len(plan)))
            losses += learner.learn(batch)
        return self._finite(float(np.mean(losses)))

    def _finite(self, loss: float) -> float:
        if not math.isfinite(loss):
            raise TrainingDiverged(
                f"the loss of epoch {len(self.position.history) + 1} is {loss}; learning rates below "
                f"{self.config.rate} and, for the body, {self.config.body_rate} may help"
            )
        return loss

    def _rate_factor(self, progress: float) -> float:
        """Share of the peak rates after `progress` epochs of the phase."""
        rising = warmup_factor(progress, warmup=self.config.warmup)
        if self.config.schedule == "plateau":
            return rising * plateau_factor(self._scores(), patience=self.config.plateau_patience)
        return rising * cosine_factor(progress, epochs=self.config.epochs_of(self.position.phase))

    def _keep(self, learner: Learner, loss: float, *, seconds: float) -> None:
        """Validate, keep the weights if they are the best so far, and write the state."""
        epoch = EpochRecord(
            epoch=len(self.position.history) + 1,
            phase=learner.phase.name,
            loss=loss,
            learning_rate=learner.optimizer.param_groups[0]["lr"],
            seconds=seconds,
            validation=self.data.scores(learner.phase.validated(learner.kept.network)),
        )
        history = (*self.position.history, epoch)
        self.position = self.position.model_copy(
            update={"epochs": self.position.epochs + 1, "halvings": learner.halvings, "history": history}
        )
        if best_epoch(history) == len(history):
            kept = learner.kept.state_dict()
            self.best = {name: tensor.detach().clone() for name, tensor in kept.items()}
        tensors = prefixed("learned", self.learned.state_dict()) | prefixed("best", self.best)
        tensors |= prefixed("optimizer", optimizer_tensors(learner.optimizer))
        tensors |= prefixed("average", learner.average.state_dict() if learner.average else {})
        write_state(self.out, self.position, tensors)
