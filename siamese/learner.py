"""The step of a training: loss, gradient, optimizer, and what happens where memory runs out."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from siamese.averaging import AveragedLearned
from siamese.errors import OutOfMemory
from siamese.learned import Learned
from siamese.lessons import AnyBatch
from siamese.phases import Phase
from siamese.training_config import OptimizerName, TrainingConfig

# Two images of each of two labels: with fewer there is nothing to compare.
SMALLEST_BATCH = 4
# Of stochastic gradient descent.
MOMENTUM = 0.9


@dataclass(slots=True, eq=False)
class Learner:
    """A phase with what is learned in it, the average of that (if there is one), and the optimizer.

    `halvings` grows when the device runs out of memory.
    """

    phase: Phase
    learned: Learned
    average: AveragedLearned | None
    optimizer: torch.optim.Optimizer
    clip_norm: float
    device: torch.device
    halvings: int = 0

    @classmethod
    def of(cls, phase: Phase, learned: Learned, config: TrainingConfig, device: torch.device) -> Learner:
        """One rate for the linear layer, the heads and the loss's proxies, and another for the body."""
        linear = [*learned.network.linear.parameters(), *learned.loss.parameters()]
        groups = [
            {"params": linear, "peak": config.rate},
            {"params": phase.body_parameters(), "peak": config.body_rate},
        ]
        optimizer = _OPTIMIZERS[config.optimizer](
            [group for group in groups if group["params"]], lr=config.rate, weight_decay=config.weight_decay
        )
        average = AveragedLearned(learned, decay=config.ema) if config.ema else None
        return cls(phase, learned, average, optimizer, config.clip_norm, device)

    @property
    def kept(self) -> Learned:
        """What is validated and kept: the average, or else what is learned itself."""
        return self.average.module if self.average else self.learned

    def set_rates(self, factor: float) -> None:
        """Every group learns at this share of its peak rate."""
        for group in self.optimizer.param_groups:
            group["lr"] = factor * group["peak"]

    def learn(self, batch: AnyBatch) -> list[float]:
        """Take one step on the batch, or several on its halves where it does not fit into memory.

        Returns the loss of each step. Raises OutOfMemory where not even the smallest batch fits.
        """
        waiting = self._halved([batch], times=self.halvings)
        losses: list[float] = []
        while waiting:
            loss = self._try_step(waiting[0])
            if loss is not None:
                losses.append(loss)
                waiting.pop(0)
                continue
            if len(waiting[0]) // 2 < SMALLEST_BATCH:
                raise OutOfMemory(f"{self.device} has no memory left for a batch of {len(waiting[0])} images")
            self.halvings += 1
            waiting = self._halved(waiting, times=1)
        return losses

    def _halved(self, batches: Sequence[AnyBatch], *, times: int) -> list[AnyBatch]:
        for _ in range(times):
            batches = [half for batch in batches for half in _halves(batch)]
        return list(batches)

    def _try_step(self, batch: AnyBatch) -> float | None:
        """The loss of a step that was taken, or None where memory ran out before it."""
        try:
            return self._step(batch)
        except torch.OutOfMemoryError:
            self.optimizer.zero_grad(set_to_none=True)
        torch.cuda.empty_cache()  # only here has the failed step let go of its tensors
        return None

    def _step(self, batch: AnyBatch) -> float:
        batch = batch.to(self.device)
        with mixed_precision(self.device):
            embeddings = self.phase.embed(batch).float()
        loss: Tensor = self.learned.loss(embeddings, batch.labels, batch.indices)
        beside = self.learned.loss.beside(embeddings, batch.labels, batch.indices)
        self.optimizer.zero_grad(set_to_none=True)
        (loss + beside).backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._clipped(), self.clip_norm)
        self.optimizer.step()
        if self.average:
            self.average.update_parameters(self.learned)
        return float(loss.detach())

    def _clipped(self) -> Iterable[nn.Parameter]:
        """All that learns but the pair head: its gradient is bounded, and must not shorten the others'."""
        apart = {id(parameter) for parameter in self.learned.loss.parts["pairs"].parameters()}
        of_groups = (parameter for group in self.optimizer.param_groups for parameter in group["params"])
        return (parameter for parameter in of_groups if id(parameter) not in apart)


_OPTIMIZERS: dict[OptimizerName, Callable[..., torch.optim.Optimizer]] = {
    "adamw": torch.optim.AdamW,
    "adam": torch.optim.Adam,
    "sgd": partial(torch.optim.SGD, momentum=MOMENTUM),
}


def mixed_precision(device: torch.device) -> contextlib.AbstractContextManager[None]:
    """bfloat16 where a GPU computes it; a CPU gains nothing from it, and its results stay reproducible."""
    if device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return contextlib.nullcontext()


def _halves(batch: AnyBatch) -> tuple[AnyBatch, ...]:
    return batch.halves() if len(batch) // 2 >= SMALLEST_BATCH else (batch,)
