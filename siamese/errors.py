"""Everything that this package refuses to do, one sentence each.

SiameseError
├── UnreadableImage      bytes that are no picture, or one beyond the limits; `reason` says why
├── WeightsUnavailable   weights that cannot be downloaded, found or fitted to the body
├── CheckpointError      a checkpoint that is damaged, foreign or of another version
│   └── CheckpointNotFound
├── UnusableData         images, sizes, labels or pairs that nothing can be learned or measured from
├── TrainingDiverged     a loss that is no number any more
├── UnknownName          a body or a loss that is in no registry
├── DeviceUnavailable    a device that this machine does not have
├── RuntimeUnavailable   a runtime whose packages are not installed
├── RuntimeDiffers       a runtime that computes something else than PyTorch does
├── ZeroEmbedding        images whose embedding has no direction; `positions` says which of the batch
└── OutOfMemory          one image alone is too much for the device
"""

from __future__ import annotations

from collections.abc import Sequence


class SiameseError(Exception):
    """Root of the tree: catch it to catch every refusal of this package."""


class UnreadableImage(SiameseError):  # noqa: N818 - named after what it says, like the rest of the tree
    """The bytes are no picture that can be used; `reason` is one sentence for a person."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class WeightsUnavailable(SiameseError):  # noqa: N818
    """The weights cannot be downloaded, found, read or fitted to the body."""


class CheckpointError(SiameseError):
    """The checkpoint is damaged, foreign or of another version."""


class CheckpointNotFound(CheckpointError):  # noqa: N818
    """There is no checkpoint at this path."""


class UnusableData(SiameseError):  # noqa: N818
    """Nothing can be learned or measured from these images, at this size, or from these labels or pairs."""


class TrainingDiverged(SiameseError):  # noqa: N818
    """The loss is no number any more; lower rates are the way out."""


class UnknownName(SiameseError):  # noqa: N818
    """The name is in no registry; the message lists the names that are."""


class DeviceUnavailable(SiameseError):  # noqa: N818
    """This machine does not have the device that was asked for."""


class RuntimeUnavailable(SiameseError):  # noqa: N818
    """The packages of a runtime are not installed; the message says which."""


class RuntimeDiffers(SiameseError):  # noqa: N818
    """A runtime computes something else than PyTorch does, beyond the stated bound."""


class ZeroEmbedding(SiameseError):  # noqa: N818
    """Embeddings without a direction (zero or not finite); `positions` says which of the batch."""

    def __init__(self, positions: Sequence[int]) -> None:
        super().__init__(
            f"the encoder gives no direction for {len(positions)} of the images "
            "(a zero embedding, as a blank picture may have), so nothing can be compared with them"
        )
        self.positions = tuple(positions)


class OutOfMemory(SiameseError):  # noqa: N818
    """Not even one image fits into the memory of the device."""
