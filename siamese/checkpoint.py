"""An encoder on disk: one folder, `checkpoint.json` and the safetensors files that it names.

The JSON is replaced last and in one step, so the folder is at every moment the old checkpoint or the new
one, whole. Nothing is unpickled. Other files in the folder are left alone.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import safetensors.torch
from pydantic import BaseModel, ValidationError
from safetensors import SafetensorError
from torch import Tensor, nn

from siamese.bodies import empty_body
from siamese.calibration import Calibration
from siamese.errors import CheckpointError, CheckpointNotFound, UnknownName
from siamese.files import write_durably
from siamese.fingerprint import NUMERIC_MODE, fingerprint
from siamese.heads import Heads, HeadsRecord
from siamese.network import EncoderNetwork
from siamese.preprocessing import Preprocessing

FORMAT_VERSION = 1
RECORD_FILE = "checkpoint.json"
WHOLE = "copy the whole folder again, or train anew"
NO_HEADS = Heads()
NOT_SHOWN = Calibration.unfitted("nothing was fitted on pairs as a search shows them")


class CheckpointRecord(BaseModel, frozen=True):
    """Everything about an encoder but its weights.

    `calibration` was fitted on balanced pairs, `shown` on pairs as a search shows them.
    `training` is the config and a summary of the history, `split` which image was in which part,
    `whitening` how the linear layer was fitted without labels, `heads` what stands beside the encoder; None
    where there was none.
    """

    format_version: int = FORMAT_VERSION
    name: str
    body: str
    dimension: int
    grid: tuple[int, int]
    preprocessing: Preprocessing
    numeric_mode: Literal["float32"] = NUMERIC_MODE
    fingerprint: str
    calibration: Calibration
    shown: Calibration = NOT_SHOWN
    training: dict[str, Any] | None = None
    split: dict[str, Any] | None = None
    whitening: dict[str, Any] | None = None
    heads: HeadsRecord | None = None

    @property
    def weights_file(self) -> str:
        """The name of the weights beside the record: another encoder's never overwrites them."""
        return f"weights-{self.fingerprint[:16]}.safetensors"

    @property
    def for_search(self) -> Calibration:
        """What the distances of a search's matches mean: by shown pairs, or else by balanced ones."""
        return self.calibration if self.shown.fitted_on is None else self.shown


def describe(
    network: EncoderNetwork,
    *,
    name: str,
    preprocessing: Preprocessing,
    calibration: Calibration,
    training: dict[str, Any] | None = None,
    split: dict[str, Any] | None = None,
    whitening: dict[str, Any] | None = None,
) -> CheckpointRecord:
    """The record of a network, with its grid and its fingerprint."""
    return CheckpointRecord(
        name=name,
        body=network.body.name,
        dimension=network.dimension,
        grid=network.grid(preprocessing.image_size),
        preprocessing=preprocessing,
        fingerprint=fingerprint(network, preprocessing),
        calibration=calibration,
        training=training,
        split=split,
        whitening=whitening,
    )


def save(
    path: Path, network: EncoderNetwork, record: CheckpointRecord, *, heads: Heads = NO_HEADS
) -> CheckpointRecord:
    """Write the checkpoint, in place of an older one at the same path; `record.heads` is of these heads.

    Raises CheckpointError.
    """
    if record.fingerprint != fingerprint(network, record.preprocessing):
        raise ValueError("the record describes another network; make it with describe()")
    if (record.heads.digest if record.heads else NO_HEADS.digest) != heads.digest:
        raise ValueError("the record describes other heads; make it with HeadsRecord.of()")
    try:
        path.mkdir(parents=True, exist_ok=True)
        write_durably(path / record.weights_file, safetensors.torch.save(_tensors(network)))
        if record.heads:
            heads.save(path / record.heads.file)
        _write_record(path, record)
        _remove_older(path, record)
    except OSError as error:
        raise CheckpointError(f"the checkpoint {path} could not be written: {error}") from error
    return record


def with_calibration(path: Path, calibration: Calibration, *, shown: Calibration) -> CheckpointRecord:
    """Replace both calibrations of the checkpoint in one step; weights, heads and fingerprint stay.

    Raises CheckpointNotFound and CheckpointError.
    """
    record = load_record(path).model_copy(update={"calibration": calibration, "shown": shown})
    try:
        _write_record(path, record)
    except OSError as error:
        raise CheckpointError(f"the checkpoint {path} could not be written: {error}") from error
    return record


def load_record(path: Path) -> CheckpointRecord:
    """Read the record of the checkpoint at this path. Raises CheckpointNotFound, CheckpointError."""
    try:
        written = json.loads((path / RECORD_FILE).read_bytes())
    except (FileNotFoundError, NotADirectoryError) as error:
        raise CheckpointNotFound(
            f"there is no checkpoint at {path}: a checkpoint is a folder with {RECORD_FILE} in it, as "
            "training writes it, and a file of weights alone is given with --weights"
        ) from error
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"{path / RECORD_FILE} is damaged or cut short, so it cannot be read; {WHOLE}"
        ) from error
    version = written.get("format_version") if isinstance(written, dict) else None
    if version != FORMAT_VERSION:
        raise CheckpointError(f"{path} has the format {version!r}, and only {FORMAT_VERSION} is known")
    try:
        return CheckpointRecord.model_validate(written)
    except ValidationError as error:
        field = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise CheckpointError(f"{path / RECORD_FILE} is damaged: its field {field!r} is wrong") from error


def load_heads(path: Path, record: CheckpointRecord) -> Heads:
    """Read the heads that the record describes from the checkpoint at this path, none where it has none.

    Raises CheckpointError, also where another checkpoint has taken the place of the record's.
    """
    if record.heads is None:
        return NO_HEADS
    try:
        heads = Heads.load(path / record.heads.file)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"the heads of the checkpoint {path} are missing or damaged") from error
    if heads.digest != record.heads.digest or heads.dimension not in (None, record.dimension):
        raise CheckpointError(f"the checkpoint {path} is damaged: its heads are not those it describes")
    return heads


def load_network(path: Path) -> tuple[CheckpointRecord, EncoderNetwork]:
    """Read record and network, in evaluation mode, on the CPU; proved by the fingerprint.

    Raises CheckpointNotFound and CheckpointError.
    """
    record = load_record(path)
    tensors = _read_weights(path, record)
    try:
        network = EncoderNetwork(empty_body(record.body), _linear(tensors))
        network.load_state_dict(tensors)
    except UnknownName as error:
        raise CheckpointError(f"the checkpoint {path} has an unknown body, {record.body!r}") from error
    except (RuntimeError, IndexError) as error:
        raise CheckpointError(
            f"the weights of the checkpoint {path} are not of {record.body}, the body that its {RECORD_FILE} "
            f"names; {WHOLE}"
        ) from error
    if fingerprint(network, record.preprocessing) != record.fingerprint:
        raise CheckpointError(
            f"the checkpoint {path} is damaged: its weights are not those it describes; {WHOLE}"
        )
    return record, network.eval()


def _read_weights(path: Path, record: CheckpointRecord) -> dict[str, Tensor]:
    """The tensors beside the record; raises CheckpointError where they are missing or damaged."""
    try:
        return safetensors.torch.load_file(path / record.weights_file)
    except FileNotFoundError as error:
        raise CheckpointError(
            f"the checkpoint {path} lacks its weights, {record.weights_file}; {WHOLE}"
        ) from error
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"the weights of the checkpoint {path} are damaged or cut short, so they cannot be read; {WHOLE}"
        ) from error


def _tensors(network: EncoderNetwork) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}


def _linear(tensors: dict[str, Tensor]) -> nn.Linear | nn.Identity:
    """The linear layer that these tensors fit into; none was written for raw pooled features."""
    weight = tensors.get("linear.weight")
    return nn.Identity() if weight is None else nn.Linear(weight.shape[1], weight.shape[0])


def _remove_older(path: Path, record: CheckpointRecord) -> None:
    """Remove the files of encoders and heads that the record does not name."""
    named = {record.weights_file, record.heads.file if record.heads else None}
    for pattern in ("weights-*.safetensors", "heads-*.safetensors"):
        for old in path.glob(pattern):
            if old.name not in named:
                old.unlink(missing_ok=True)


def _write_record(path: Path, record: CheckpointRecord) -> None:
    write_durably(path / RECORD_FILE, record.model_dump_json(indent=1).encode())
