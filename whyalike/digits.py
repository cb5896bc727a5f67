"""The handwritten digits that ship inside scikit-learn: real scans that nobody has to download.

1,797 scans of 8 × 8 pixels by 43 writers (Alpaydin and Kaynak, UCI, 1998: Optical Recognition of Handwritten
Digits, test set).
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from gallery.sources.scanning import checksum
from siamese.samples import Sample
from siamese.splits import SplitFile, stratified_split

INK = 16
"""The darkest grey of a scan."""
ENLARGEMENT = 8
"""Eight pixels each way are too few to look at; the encoder sees 32."""
HELD_OUT = 0.1
"""Share of every digit that is only ever asked with."""


@dataclass(frozen=True, slots=True)
class DigitFolders:
    """Two folders of PNGs by label: those to learn from and to find, and those to ask with."""

    gallery: Path
    queries: Path


def write_digits(folder: Path) -> DigitFolders:
    """Writes every scan below the folder, dark on white; always the same tenth of each digit to `queries`."""
    folders = DigitFolders(folder / "gallery", folder / "queries")
    samples, scans = _scans()
    split = stratified_split(samples, test=HELD_OUT, validation=0.0)
    for root, files in ((folders.gallery, split.train), (folders.queries, split.test)):
        shutil.rmtree(root, ignore_errors=True)  # what another version wrote may be divided otherwise
        _write(root, files, scans)
    return folders


def _scans() -> tuple[list[Sample], dict[str, Image.Image]]:
    """Each scan as a sample and as a picture, by its uri."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    scans: dict[str, Image.Image] = {}
    samples = []
    for number, (pixels, label) in enumerate(zip(digits.images, digits.target, strict=True)):
        grey = np.rint((INK - pixels) * (255 / INK)).astype(np.uint8)
        uri = f"{label}/{number:04}.png"
        side = ENLARGEMENT * len(grey)
        scans[uri] = Image.fromarray(grey).resize((side, side), Image.Resampling.BICUBIC)
        samples.append(Sample(path=Path(uri), uri=uri, label=str(label), checksum=checksum(grey.tobytes())))
    return samples, scans


def _write(root: Path, files: Sequence[SplitFile], scans: dict[str, Image.Image]) -> None:
    for file in files:
        path = root / file.uri
        path.parent.mkdir(parents=True, exist_ok=True)
        scans[file.uri].save(path)
