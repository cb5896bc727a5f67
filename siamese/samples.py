"""A labelled image on disk, as training and evaluation are given it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from siamese.decoding import decode_for
from siamese.errors import UnreadableImage
from siamese.images import ImageLimits, read
from siamese.preprocessing import Preprocessing
from siamese.scaled_image import ScaledImage


@dataclass(frozen=True, slots=True)
class Sample:
    """One file and what it shows.

    `uri` is its posix path relative to the folder that was asked for, so that a split is recognised again
    wherever that folder lies; `checksum` is the SHA-256 of its bytes, in hexadecimal.
    """

    path: Path
    uri: str
    label: str
    checksum: str

    def __post_init__(self) -> None:
        for name in ("uri", "label", "checksum"):
            if not getattr(self, name):
                raise ValueError(f"a sample needs a {name}: {self}")


@dataclass(frozen=True, slots=True)
class UnreadableSample:
    """A sample that was left out, and the reason as one sentence."""

    sample: Sample
    reason: str


def image_of(sample: Sample, preprocessing: Preprocessing, *, limits: ImageLimits) -> ScaledImage:
    """The image of a sample as an encoder is given it, from the bytes that were listed.

    Raises UnreadableImage.
    """
    data = read(sample.path, limits=limits)
    if hashlib.sha256(data).hexdigest() != sample.checksum:
        raise UnreadableImage("it has changed since it was listed")
    return decode_for(data, preprocessing, limits=limits)


def conflicting_checksums(samples: Iterable[Sample]) -> frozenset[str]:
    """Contents that stand under two labels: nobody can say what they show."""
    first_label: dict[str, str] = {}
    return frozenset(
        sample.checksum
        for sample in samples
        if first_label.setdefault(sample.checksum, sample.label) != sample.label
    )
