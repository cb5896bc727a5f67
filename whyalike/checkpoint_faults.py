"""Whether a checkpoint that a gallery keeps is the encoder that its builds are by."""

from pathlib import Path

from siamese.checkpoint import load_heads, load_network
from siamese.errors import CheckpointError, CheckpointNotFound
from siamese.fingerprint import short


def checkpoint_fault(folder: Path, fingerprint: str) -> str | None:
    """Why the checkpoint is not the encoder of this fingerprint, in a sentence; None if it is.

    Computes the fingerprint anew, from the weights.
    """
    try:
        record, _ = load_network(folder)
        load_heads(folder, record)
    except (CheckpointError, CheckpointNotFound) as error:
        return f"{error}."
    if record.fingerprint != fingerprint:
        return f"{folder} holds {short(record.fingerprint)}, not {short(fingerprint)}."
    return None
