"""What a training learns from: the readable images of a split, and the numbers of their labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from siamese.batches import Batch, batches_of_epoch
from siamese.embedded_samples import EmbeddedSamples
from siamese.errors import UnusableData
from siamese.images import ImageLimits
from siamese.pairs import Pairs
from siamese.pictures import MEMORY_BUDGET, Pictures, read_pictures
from siamese.preprocessing import Preprocessing
from siamese.progress import Progress
from siamese.samples import Sample, UnreadableSample
from siamese.splits import Part, Split
from siamese.training_config import TrainingConfig
from siamese.validation import ValidationScores, balanced_pairs, validation_scores

TAUGHT: tuple[Part, ...] = ("train", "validation")
"""The parts that a training sees."""


@dataclass(frozen=True, slots=True, eq=False)
class LearningData:
    """Distinct, readable contents with labels; see `Lessons`.

    `numbers` (n,) say which of the `labels` each training picture has; `notes` are sentences about what the
    data made impossible. `units` has the units of contents; no two images of one unit validate each other.
    """

    pictures: Pictures
    numbers: NDArray[np.int64]
    labels: tuple[str, ...]
    validation: tuple[Sample, ...]
    unreadable: tuple[UnreadableSample, ...]
    notes: tuple[str, ...]
    units: Mapping[str, int] = field(default_factory=dict)

    @property
    def sizes(self) -> dict[str, int]:
        """How many labels there are."""
        return {"labels": len(self.labels)}

    def plan(self, config: TrainingConfig, *, epoch: int) -> list[list[int]]:
        """The positions of each batch's pictures."""
        return batches_of_epoch(
            self.numbers.tolist(),
            batch_size=config.batch_size,
            images_per_label=config.images_per_label,
            seed=config.seed,
            epoch=epoch,
        )

    def positions(self, taught: Sequence[int]) -> list[int]:
        """The same: a batch is planned as its pictures."""
        return list(taught)

    def batch(self, taught: Sequence[int], inputs: Tensor, seen: Tensor | None) -> Batch:
        """The batch, from what its pictures have become."""
        return Batch(inputs, seen, torch.from_numpy(self.numbers[list(taught)]))

    def scores(self, embedded: EmbeddedSamples) -> ValidationScores | None:
        """How well each validation image finds its like among the others; None where none can."""
        return validation_scores(replace(embedded, units=self.units))

    def judged(self, embedded: EmbeddedSamples) -> Pairs:
        """Balanced, distinct pairs of validation images."""
        return balanced_pairs(replace(embedded, units=self.units))


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
    pictures, validation, unreadable = read_parts(
        samples, split, preprocessing=preprocessing, limits=limits, progress=progress, budget=budget
    )
    counts = Counter(sample.label for sample in pictures.samples)
    _refuse_unusable(counts)
    labels = tuple(sorted(counts))
    return LearningData(
        pictures,
        np.array([labels.index(sample.label) for sample in pictures.samples], np.int64),
        labels,
        validation,
        unreadable,
        tuple(_notes(counts, split, validation)),
        split.units(),
    )


def read_parts(
    samples: Sequence[Sample],
    split: Split,
    *,
    preprocessing: Preprocessing,
    limits: ImageLimits,
    progress: Progress,
    budget: int,
) -> tuple[Pictures, tuple[Sample, ...], tuple[UnreadableSample, ...]]:
    """The readable images of the training and the validation part, and what cannot be read of both."""
    located = {part: _located(split, part, samples) for part in TAUGHT}
    (pictures, unreadable), (checked, unchecked) = (
        read_pictures(
            located[part],
            preprocessing=preprocessing,
            limits=limits,
            progress=progress,
            budget=budget if part == "train" else 0,
        )
        for part in TAUGHT
    )
    return pictures, checked.samples, (*unreadable, *unchecked)


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
