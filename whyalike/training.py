"""From options to a training: its config, its split, and the picture of how it went."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from explain.curves import training_curves
from siamese.training_config import TrainingConfig
from siamese.training_state import EpochRecord
from whyalike.errors import UsageError
from whyalike.recipes import SQUARE, read_recipe

CURVES = "curves.png"
OPTIONS = {"augmentation": "augment"}
"""Options that have another name than what they set."""
SMALL = "small"
"""The body that nobody publishes weights for."""


# What the recipes have otherwise where learning is from labels, and from pairs: they teach no class head.
OF_LABELS: Mapping[str, Any] = {}
OF_PAIRS: Mapping[str, Any] = {"loss": "contrastive", "class_head": 0.0}


def choose_config(
    chosen: Mapping[str, Any], *, file: Path | None = None, usual: Mapping[str, Any] = OF_LABELS
) -> TrainingConfig:
    """The recipe for a body with weights or from scratch, on it what the file says, on that what was chosen.

    `usual` changes the recipe itself.

    `chosen` has fields of TrainingConfig, `image_size`, `fit` and `reducing_gap`; values of None were not
    chosen. Raises UsageError, and what reading the file raises.
    """
    options = {name: value for name, value in chosen.items() if value is not None}
    if str(options.get("trainable", "")).isdigit():
        options["trainable"] = int(options["trainable"])
    if isinstance(wrong := options.get("trainable"), str) and wrong not in {"head", "all"}:
        raise UsageError(f"--trainable: head, all, or a number of stages from 1 on, but it is {wrong}")
    said = {**usual, **(read_recipe(file) if file else {}), **options}
    body = said.get("body")
    from_scratch = said.get("weights", "none" if body == SMALL else None) == "none"
    tiny = from_scratch and body in {None, SMALL}
    base = (TrainingConfig.from_scratch() if tiny else TrainingConfig()).preprocessing
    square = {name: said.pop(name) for name in SQUARE if name in said}
    said["preprocessing"] = base.model_dump() | said.get("preprocessing", {}) | square
    try:
        return TrainingConfig.from_scratch(**said) if from_scratch else TrainingConfig(**said)
    except ValidationError as error:
        raise UsageError(_fault(error, options, file)) from None


def write_curves(checkpoint: Path, history: Sequence[EpochRecord]) -> Path:
    """Draws loss, measures and learning rate of every epoch beside the checkpoint; returns the picture."""
    path = checkpoint / CURVES
    path.write_bytes(training_curves([epoch.numbers() for epoch in history]))
    return path


def _fault(error: ValidationError, options: Collection[str], file: Path | None) -> str:
    """The first thing that is wrong, by the name of the option or of the file's key."""
    fault = error.errors()[0]
    message = fault["msg"].removeprefix("Value error, ")
    names = [str(part) for part in fault["loc"] if part != "preprocessing"]
    if not names:
        return message
    if file is not None and names[0] not in options:
        return f"{file}: {names[0]}: {message}"
    return f"--{OPTIONS.get(names[0], names[0].replace('_', '-'))}: {message}"
