"""What a training learns from, whether images have labels or pairs of them were judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor

from siamese.batches import Batch
from siamese.embedded_samples import EmbeddedSamples
from siamese.pair_batches import PairBatch
from siamese.pairs import Pairs
from siamese.pictures import Pictures
from siamese.samples import Sample, UnreadableSample
from siamese.training_config import TrainingConfig
from siamese.validation import ValidationScores

AnyBatch = Batch | PairBatch


class Lessons(Protocol):
    """Distinct, readable contents: pictures to train on, samples to validate with, and how they teach."""

    @property
    def pictures(self) -> Pictures:
        """What is trained on."""

    @property
    def labels(self) -> tuple[str, ...]:
        """What a class head may tell apart; none where only pairs were judged."""

    @property
    def validation(self) -> tuple[Sample, ...]:
        """What chooses the epoch and is calibrated on."""

    @property
    def unreadable(self) -> tuple[UnreadableSample, ...]:
        """What was left out, with the reasons."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about what the data made impossible."""

    @property
    def sizes(self) -> dict[str, int]:
        """What is counted beside the contents of each part."""

    def plan(self, config: TrainingConfig, *, epoch: int) -> list[list[int]]:
        """What each batch of an epoch teaches, as numbers that `positions` and `batch` understand."""

    def positions(self, taught: Sequence[int]) -> list[int]:
        """The positions of the pictures of a batch."""

    def batch(self, taught: Sequence[int], inputs: Tensor, seen: Tensor | None) -> AnyBatch:
        """The batch, from what its pictures have become."""

    def scores(self, embedded: EmbeddedSamples) -> ValidationScores | None:
        """What the embedded validation samples say of an encoder; None where they say nothing."""

    def judged(self, embedded: EmbeddedSamples) -> Pairs:
        """Balanced, distinct pairs of them, to calibrate on."""
