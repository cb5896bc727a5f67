"""What a training learns from: the readable images of a split, and the numbers of their labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from siamese.errors import UnusableData
from siamese.images import ImageLimits
from siamese.pictures import MEMORY_BUDGET, Pictures, read_pictures
from siamese.preprocessing import Preprocessing
from siamese.progress import Progress
from siamese.samples import Sample, UnreadableSample
from siamese.splits import Part, Split


@dataclass(frozen=True, slots=True, eq=False)
class LearningData:
    """Distinct, readable contents: pictures to train on, samples to validate with.

    `numbers` (n,) say which of the `labels` each training picture has; `notes` are sentences about what the
    data made impossible.
    """

    pictures: Pictures
    numbers: NDArray[np.int64]
    labels: tuple[str, ...]
    validation: tuple[Sample, ...]
    unreadable: tuple[UnreadableSample, ...]
    notes: tuple[str, ...]


def read_learning_data(
    samples: Sequence[Sample],
    split: Split,
    *,
    preprocessing: Preprocessing,
    limits: ImageLimits,
    progress: Progress,
    budget: int = MEMORY_BUDGET,
) -> LearningData:
    """Read the images of the split's training and validation parts, each content once.

    `samples` say where the split's files lie; `budget` is the memory in bytes that pictures to train on
    may take. Raises UnusableData where fewer than two labels, or no two images of one, can be trained on.
    """
    pictures, unreadable = read_pictures(
        _located(split, "train", samples),
        preprocessing=preprocessing,
        limits=limits,
        progress=progress,
        budget=budget,
    )
    checked, unreadable_validation = read_pictures(
        _located(split, "validation", samples),
        preprocessing=preprocessing,
        limits=limits,
        progress=progress,
        budget=0,
    )
    counts = Counter(sample.label for sample in pictures.samples)
    _refuse_unusable(counts)
    labels = tuple(sorted(counts))
    return LearningData(
        pictures,
        np.array([labels.index(sample.label) for sample in pictures.samples], np.int64),
        labels,
        checked.samples,
        (*unreadable, *unreadable_validation),
        tuple(_notes(counts, split, checked.samples)),
    )


def _located(split: Split, part: Part, samples: Sequence[Sample]) -> list[Sample]:
    """The part's usable samples, in the order of the split, which decides the order of learning."""
    places = {(sample.uri, sample.checksum): sample for sample in samples}
    files = split.usable(part)
    missing = [file.uri for file in files if (file.uri, file.checksum) not in places]
    if missing:
        raise UnusableData(
            f"{len(missing)} files of the split are not among the images, such as {missing[0]}"
        )
    return [places[file.uri, file.checksum] for file in files]


def _refuse_unusable(counts: Counter[str]) -> None:
    if len(counts) < 2:
        raise UnusableData(
            f"learning needs readable images of at least two labels, and there are {dict(counts) or 'none'}"
        )
    if max(counts.values()) < 2:
        raise UnusableData(
            "no label has two readable training images, so there is no same pair to learn from"
        )


def _notes(counts: Counter[str], split: Split, validation: Sequence[Sample]) -> list[str]:
    single = sorted(label for label, count in counts.items() if count == 1)
    notes = []
    if single:
        notes.append(
            f"{len(single)} labels have a single training image, such as {single[0]!r}: "
            "nothing shows what its like looks like"
        )
    if split.conflicts:
        notes.append(f"{len(split.conflicts)} files were left out: the same bytes stand under two labels")
    if split.duplicates:
        notes.append(f"{len(split.duplicates)} files were left out: they repeat the bytes of others")
    if not validation:
        notes.append("there are no validation images: the last epoch is kept, and nothing is calibrated")
    return notes
