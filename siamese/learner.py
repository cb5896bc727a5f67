"""The step of a training: loss, gradient, optimizer, and what happens where memory runs out."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from siamese.errors import OutOfMemory
from siamese.losses import BatchLoss
from siamese.phases import Batch, Phase
from siamese.training_config import TrainingConfig

# Two images of each of two labels: with fewer there is nothing to compare.
SMALLEST_BATCH = 4


@dataclass(slots=True, eq=False)
class Learner:
    """A phase with its loss and its optimizer; `halvings` grows when the device runs out of memory."""

    phase: Phase
    loss: BatchLoss
    optimizer: torch.optim.Optimizer
    clip_norm: float
    device: torch.device
    halvings: int = 0

    @classmethod
    def of(
        cls, phase: Phase, linear: nn.Module, loss: BatchLoss, config: TrainingConfig, device: torch.device
    ) -> Learner:
        """AdamW with one rate for the linear layer and the loss's proxies, and another for the body."""
        groups = [
            {"params": [*linear.parameters(), *loss.parameters()], "peak": config.rate},
            {"params": phase.body_parameters(), "peak": config.body_rate},
        ]
        optimizer = torch.optim.AdamW(
            [group for group in groups if group["params"]], lr=config.rate, weight_decay=config.weight_decay
        )
        return cls(phase, loss, optimizer, config.clip_norm, device)

    def set_rates(self, factor: float) -> None:
        """Every group learns at this share of its peak rate."""
        for group in self.optimizer.param_groups:
            group["lr"] = factor * group["peak"]

    def learn(self, batch: Batch) -> list[float]:
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

    def _halved(self, batches: Sequence[Batch], *, times: int) -> list[Batch]:
        for _ in range(times):
            batches = [half for batch in batches for half in _halves(batch)]
        return list(batches)

    def _try_step(self, batch: Batch) -> float | None:
        """The loss of a step that was taken, or None where memory ran out before it."""
        try:
            return self._step(batch)
        except torch.OutOfMemoryError:
            self.optimizer.zero_grad(set_to_none=True)
        torch.cuda.empty_cache()  # only here has the failed step let go of its tensors
        return None

    def _step(self, batch: Batch) -> float:
        batch = batch.to(self.device)
        with mixed_precision(self.device):
            embeddings = self.phase.embed(batch)
        loss: Tensor = self.loss(embeddings.float(), batch.labels)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._parameters(), self.clip_norm)
        self.optimizer.step()
        return float(loss.detach())

    def _parameters(self) -> Iterable[nn.Parameter]:
        return (parameter for group in self.optimizer.param_groups for parameter in group["params"])


def mixed_precision(device: torch.device) -> contextlib.AbstractContextManager[None]:
    """bfloat16 where a GPU computes it; a CPU gains nothing from it, and its results stay reproducible."""
    if device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return contextlib.nullcontext()


def _halves(batch: Batch) -> tuple[Batch, ...]:
    return batch.halves() if len(batch) // 2 >= SMALLEST_BATCH else (batch,)
