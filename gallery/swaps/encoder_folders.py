"""The copies of checkpoints below a gallery's `encoders/`, and what they are called."""

import hashlib
import re
import shutil
from pathlib import Path

from gallery.files import file_sha256, new_folder
from gallery.folders import GalleryFolder

DIGEST_DIGITS = 16
"""64 bits tell the checkpoints of one encoder apart."""

_FINGERPRINT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def keep_checkpoint(gallery: GalleryFolder, checkpoint: Path, fingerprint: str) -> str:
    """Copy a checkpoint's folder into the gallery, durably; returns what the copy is called.

    A copy that is there already is taken as it is, with the calibration that it was given in place since.
    """
    name = encoder_folder(checkpoint, fingerprint)
    kept = gallery.encoder(name)
    if not kept.exists():
        with new_folder(kept) as unfinished:
            shutil.copytree(checkpoint, unfinished, dirs_exist_ok=True)
    return name


def encoder_folder(checkpoint: Path, fingerprint: str) -> str:
    """`<fingerprint>/<digest of the files>`; ValueError for a fingerprint that is none."""
    if not _FINGERPRINT.fullmatch(fingerprint):
        raise ValueError(f"A fingerprint is a digest's digits, not {fingerprint!r}.")
    digest = hashlib.sha256()
    for path in sorted(path for path in checkpoint.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(checkpoint).as_posix()}\0{file_sha256(path)}\n".encode())
    return f"{fingerprint}/{digest.hexdigest()[:DIGEST_DIGITS]}"
