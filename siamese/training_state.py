"""An interrupted training on disk: everything its continuation depends on, in one safetensors file.

Random numbers are drawn from the seed, the epoch and the position of an image, never from a generator that
lives on; schedule and early stopping are functions of the history. So tensors, history and position are the
whole state, and a continued training ends in the same bits as one that was never interrupted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import safetensors
import safetensors.torch
import torch
from pydantic import BaseModel, ValidationError
from torch import Tensor

from siamese.errors import CheckpointError, CheckpointNotFound
from siamese.files import write_durably
from siamese.training_config import PhaseName, TrainingConfig
from siamese.validation import ValidationScores

FOLDER = "training"
FILE = "state.safetensors"


class EpochRecord(BaseModel, frozen=True):
    """One epoch: `epoch` counts from 1 over both phases, `loss` is the mean over its steps."""

    epoch: int
    phase: PhaseName
    loss: float
    learning_rate: float
    seconds: float
    validation: ValidationScores | None

    def numbers(self) -> dict[str, float | None]:
        """Its numbers, flat; a score is missing where nothing was validated."""
        scores = self.validation.model_dump(exclude_none=True) if self.validation else {}
        return {"epoch": self.epoch, "loss": self.loss, "learning_rate": self.learning_rate, **scores}


class Position(BaseModel, frozen=True):
    """How far a training has come, and what it is a training of.

    `epochs` counts those of `phase` that are done; `halvings` says how often batches are halved, because
    memory ran out.
    """

    format_version: Literal[2] = 2
    config: TrainingConfig
    split_digest: str
    phase: PhaseName
    epochs: int = 0
    halvings: int = 0
    history: tuple[EpochRecord, ...] = ()


def write_state(folder: Path, position: Position, tensors: Mapping[str, Tensor]) -> None:
    """Replace the state below a checkpoint's folder, in one step. Raises CheckpointError."""
    path = folder / FOLDER / FILE
    kept = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    data = safetensors.torch.save(kept, metadata={"position": position.model_dump_json()})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(path, data)
    except OSError as error:
        raise CheckpointError(f"the training state {path} could not be written: {error}") from error


def read_state(folder: Path) -> tuple[Position, dict[str, Tensor]]:
    """Read the state below a checkpoint's folder. Raises CheckpointNotFound and CheckpointError."""
    path = folder / FOLDER / FILE
    if not path.is_file():
        raise CheckpointNotFound(f"there is no interrupted training below {folder} to resume")
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            position = Position.model_validate(json.loads(file.metadata()["position"]))
        return position, safetensors.torch.load_file(path)
    except (OSError, safetensors.SafetensorError, ValidationError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"the training state {path} is damaged or of another version") from error


def remove_state(folder: Path) -> None:
    """Remove the state of a training that has ended."""
    for path in (folder / FOLDER / FILE, *(folder / FOLDER).glob(f".{FILE}.*")):  # half-written ones, too
        path.unlink(missing_ok=True)
    if (folder / FOLDER).is_dir() and not any((folder / FOLDER).iterdir()):
        (folder / FOLDER).rmdir()


def prefixed(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under names of their own."""
    return {f"{prefix}.{name}": tensor for name, tensor in tensors.items()}


def under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors that were put under this prefix."""
    start = f"{prefix}."
    return {name.removeprefix(start): tensor for name, tensor in tensors.items() if name.startswith(start)}


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The optimizer's moments, one flat mapping: "parameter number.name"."""
    state = optimizer.state_dict()["state"]
    return {
        f"{number}.{name}": tensor for number, moments in state.items() for name, tensor in moments.items()
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Give the optimizer its moments back; its groups and rates are those of the config."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        number, name = key.split(".", 1)
        state.setdefault(int(number), {})[name] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def best_epoch(history: Sequence[EpochRecord]) -> int:
    """The number of the epoch with the best validation score, of equal ones the last; without any, the last.

    Easy data is found without a fault early, and what is learned after that still separates it further.
    """
    scored = [(epoch.validation.deciding, epoch.epoch) for epoch in history if epoch.validation]
    return max(scored)[1] if scored else len(history)
