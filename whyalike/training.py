"""From options to a training: its config, its split, and the picture of how it went."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from explain.curves import training_curves
from siamese.preprocessing import Preprocessing
from siamese.splits import Split, given_split, paper_split, stratified_split
from siamese.training_config import TrainingConfig
from siamese.training_state import EpochRecord
from whyalike.errors import UsageError
from whyalike.folders import LabelledFolder

CURVES = "curves.png"
OPTIONS = {"augmentation": "augment"}
"""Options that have another name than what they set."""
SMALL = "small"
"""The body that nobody publishes weights for."""


def choose_config(
    chosen: Mapping[str, Any], *, image_size: int | None = None, fit: str | None = None
) -> TrainingConfig:
    """The recipe for a body with weights or for one from scratch, and on top of it what was chosen.

    Values of None were not chosen. Raises UsageError.
    """
    said = {name: value for name, value in chosen.items() if value is not None}
    if str(said.get("trainable", "")).isdigit():
        said["trainable"] = int(said["trainable"])
    body = said.get("body")
    from_scratch = said.get("weights", "none" if body == SMALL else None) == "none"
    tiny = from_scratch and body in {None, SMALL}
    base = TrainingConfig.from_scratch().preprocessing if tiny else Preprocessing()
    try:
        square = {"image_size": image_size or base.image_size, "fit": fit or base.fit}
        recipe = {"preprocessing": base.model_copy(update=square), **said}
        return TrainingConfig.from_scratch(**recipe) if from_scratch else TrainingConfig(**recipe)
    except ValidationError as error:
        raise UsageError(_fault(error)) from None


def choose_split(
    folder: LabelledFolder, validating: LabelledFolder | None, *, kind: str | None, seed: int | None
) -> Split:
    """The split of a folder, or the two folders as they were given; raises UsageError, UnusableData."""
    if validating is not None:
        if kind is not None or seed is not None:
            raise UsageError("--val says what to validate with: leave out --split and --split-seed")
        return given_split(folder.samples, validating.samples)
    if kind == "paper":
        if seed is not None:
            raise UsageError("the paper's split has its own seed: leave out --split-seed")
        return paper_split(folder.samples)
    chosen = {} if seed is None else {"seed": seed}
    return stratified_split(folder.samples, **chosen)


def write_curves(checkpoint: Path, history: Sequence[EpochRecord]) -> Path:
    """Draws loss, measures and learning rate of every epoch beside the checkpoint; returns the picture."""
    path = checkpoint / CURVES
    path.write_bytes(training_curves([epoch.numbers() for epoch in history]))
    return path


def _fault(error: ValidationError) -> str:
    """The first thing that is wrong with the options, by the option's name."""
    fault = error.errors()[0]
    message = fault["msg"].removeprefix("Value error, ")
    if not fault["loc"]:
        return message
    name = str(fault["loc"][0])
    return f"--{OPTIONS.get(name, name.replace('_', '-'))}: {message}"
