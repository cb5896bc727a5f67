"""What decides whether embeddings may be compared: body, linear layer, preprocessing, numeric mode."""

from __future__ import annotations

import hashlib
import json
from typing import Final

from siamese.network import EncoderNetwork
from siamese.preprocessing import Preprocessing

# Full single precision on every device (TF32 is off): the only mode so far.
NUMERIC_MODE: Final = "float32"

SHORT: Final = 12
"""Characters that tell encoders apart for people."""


def short(fingerprint: str) -> str:
    """As much of a fingerprint as people are shown."""
    return fingerprint[:SHORT]


def fingerprint(network: EncoderNetwork, preprocessing: Preprocessing) -> str:
    """The SHA-256, in hexadecimal, of everything that an embedding depends on."""
    described = {
        "body": network.body.name,
        "dimension": network.dimension,
        "preprocessing": preprocessing.model_dump(mode="json"),
        "numeric_mode": NUMERIC_MODE,
    }
    digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
    for name, tensor in sorted(network.state_dict().items()):
        if name.endswith("num_batches_tracked"):  # counts training steps, moves no embedding
            continue
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
