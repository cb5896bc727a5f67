"""What a training from labelled pairs learns from: the readable images of a split, and who is paired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from siamese.embedded_samples import EmbeddedSamples, pair_distances
from siamese.errors import UnusableData
from siamese.images import ImageLimits
from siamese.labelled_pairs import LabelledPairs
from siamese.learning_data import read_parts
from siamese.pair_batches import PairBatch, among, images_of, pair_batches_of_epoch
from siamese.pair_split import pairs_within
from siamese.pairs import Pairs
from siamese.pictures import MEMORY_BUDGET, Pictures
from siamese.preprocessing import Preprocessing
from siamese.progress import Progress
from siamese.samples import Sample, UnreadableSample
from siamese.splits import Split
from siamese.training_config import TrainingConfig
from siamese.validation import PAIR_SEED, ValidationScores
from siamese.verification import Verification


@dataclass(frozen=True, slots=True, eq=False)
class PairData:
    """Distinct, readable contents, with `pairs` of the training pictures' positions; see `Lessons`."""

    labelled: LabelledPairs
    pictures: Pictures
    pairs: Pairs
    validation: tuple[Sample, ...]
    unreadable: tuple[UnreadableSample, ...]
    notes: tuple[str, ...]
    labels: tuple[str, ...] = ()

    @property
    def sizes(self) -> dict[str, int]:
        """How many pairs are learned from and validated with."""
        return {
            "training pairs": len(self.pairs),
            "validation pairs": len(_pairs_among(self.labelled, self.validation)),
        }

    def plan(self, config: TrainingConfig, *, epoch: int) -> list[list[int]]:
        """The numbers of each batch's pairs."""
        return pair_batches_of_epoch(
            self.pairs.same, batch_size=config.batch_size, seed=config.seed, epoch=epoch
        )

    def positions(self, taught: Sequence[int]) -> list[int]:
        """The positions of the pictures that these pairs are of."""
        return images_of(self.pairs.chosen(np.asarray(taught)))

    def batch(self, taught: Sequence[int], inputs: Tensor, seen: Tensor | None) -> PairBatch:
        """The batch, from what its pictures have become."""
        pairs = self.pairs.chosen(np.asarray(taught))
        return PairBatch(inputs, seen, among(images_of(pairs), pairs))

    def scores(self, embedded: EmbeddedSamples) -> ValidationScores | None:
        """How well the distance tells the validation pairs apart; None where they are of one kind."""
        pairs = _pairs_among(self.labelled, embedded.samples)
        if not pairs.of_both_kinds:
            return None
        lengths = pair_distances(pairs, embedded, embedded)
        return ValidationScores(pair_auc=Verification.of(lengths, pairs.same).auc())

    def judged(self, embedded: EmbeddedSamples) -> Pairs:
        """As many same as different validation pairs."""
        return _pairs_among(self.labelled, embedded.samples).distinct(seed=PAIR_SEED)


def read_pair_data(
    labelled: LabelledPairs,
    split: Split,
    *,
    preprocessing: Preprocessing,
    limits: ImageLimits,
    progress: Progress,
    budget: int = MEMORY_BUDGET,
) -> PairData:
    """Read the images of the split's training and validation parts, each content once.

    `budget` is the memory in bytes that pictures to train on may take. Raises UnusableData where the pairs
    that are left to train on are of one kind.
    """
    pictures, validation, unreadable = read_parts(
        labelled.samples,
        split,
        preprocessing=preprocessing,
        limits=limits,
        progress=progress,
        budget=budget,
    )
    pairs = _pairs_among(labelled, pictures.samples)
    if not pairs.of_both_kinds:
        raise UnusableData(
            f"learning needs same and different pairs of readable images; of {len(pairs)} pairs to train on "
            f"{int(pairs.same.sum())} are same"
        )
    checked = _pairs_among(labelled, validation)
    notes = _notes(labelled, split, checked, unreadable=len(unreadable))
    return PairData(labelled, pictures, pairs, validation, unreadable, tuple(notes))


def _pairs_among(labelled: LabelledPairs, samples: Sequence[Sample]) -> Pairs:
    """The labelled pairs of these samples, by their positions among them."""
    place = {sample.checksum: at for at, sample in enumerate(samples)}
    places = np.array([place.get(sample.checksum, -1) for sample in labelled.samples], np.int64)
    return pairs_within(labelled, set(place)).moved(places)


def _notes(labelled: LabelledPairs, split: Split, checked: Pairs, *, unreadable: int) -> list[str]:
    notes = labelled.notes()
    if split.pairs and split.pairs.lost:
        notes.append(
            f"{split.pairs.lost} of {len(labelled.pairs)} pairs were left out: the pairs connect nearly all "
            "images, and each of these is of images in two parts"
        )
    if unreadable:
        notes.append(f"{unreadable} images cannot be read, and their pairs were left out")
    if not checked.of_both_kinds:
        notes.append(
            f"{len(checked)} validation pairs of one kind choose no epoch: the last one is kept, and nothing "
            "is calibrated"
        )
    return notes
