"""What the copy of a checkpoint is called below a gallery's `encoders/`."""

import hashlib
import re
from pathlib import Path

from gallery.files import file_sha256

DIGEST_DIGITS = 16
"""64 bits tell the checkpoints of one encoder apart."""

_FINGERPRINT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def encoder_folder(checkpoint: Path, fingerprint: str) -> str:
    """`<fingerprint>/<digest of the files>`; ValueError for a fingerprint that is none."""
    if not _FINGERPRINT.fullmatch(fingerprint):
        raise ValueError(f"A fingerprint is a digest's digits, not {fingerprint!r}.")
    digest = hashlib.sha256()
    for path in sorted(path for path in checkpoint.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(checkpoint).as_posix()}\0{file_sha256(path)}\n".encode())
    return f"{fingerprint}/{digest.hexdigest()[:DIGEST_DIGITS]}"
