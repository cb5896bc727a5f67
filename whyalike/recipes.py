"""A training's config as a file: TOML that a person wrote, or the checkpoint of an earlier training."""

import sys
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from siamese.checkpoint import RECORD_FILE, load_record
from siamese.preprocessing import Preprocessing
from siamese.training_config import TrainingConfig
from whyalike.errors import UsageError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

# What of the preprocessing a person chooses, as keys of their own.
SQUARE = ("image_size", "fit", "reducing_gap")


def read_recipe(path: Path) -> dict[str, Any]:
    """The config in a TOML file, or that of the checkpoint in a folder; its keys are known ones.

    They are the fields of TrainingConfig, and those of the preprocessing that a person chooses. Raises
    UsageError, CheckpointError and OSError.
    """
    written = _of_checkpoint(path) if path.is_dir() else _of_file(path)
    _refuse_unknown(written, {*TrainingConfig.model_fields, *SQUARE}, path)
    square = written.setdefault("preprocessing", {})
    if not isinstance(square, dict):
        raise UsageError(f"{path}: preprocessing is a table, such as {{image_size = 224}}, not {square!r}")
    _refuse_unknown(square, Preprocessing.model_fields, path)
    return written


def _of_checkpoint(folder: Path) -> dict[str, Any]:
    training = load_record(folder).training
    if training is None:
        raise UsageError(f"the encoder in {folder} was not trained: its {RECORD_FILE} has no config")
    config = dict(training["config"])
    if "preprocessing" in config:  # what it does not say is as it was, and not as it is today
        config["preprocessing"] = {"reducing_gap": 0.0, **config["preprocessing"]}
    return config


def _of_file(path: Path) -> dict[str, Any]:
    try:
        return dict(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:  # no TOML, or no text
        raise UsageError(f"{path} is no TOML file: {error}") from error


def _refuse_unknown(written: Mapping[str, Any], known: Collection[str], path: Path) -> None:
    for key in written:
        if key not in known:
            (nearest,) = get_close_matches(key, known, n=1, cutoff=0.0)
            raise UsageError(f"{path} has the key {key!r}, which no training has; the nearest is {nearest!r}")
