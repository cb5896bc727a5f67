"""Training from labelled pairs: from pairs that were judged and their split to a checkpoint."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from siamese.errors import UnusableData
from siamese.images import DEFAULT_LIMITS, ImageLimits
from siamese.labelled_pairs import LabelledPairs
from siamese.pair_data import read_pair_data
from siamese.progress import Progress
from siamese.splits import Split
from siamese.training import TrainingReport, train_on
from siamese.training_config import LossName, TrainingConfig

# Those that ask of two images whether they are the same. The others compare an image with all of a batch, or
# with what stands for a label, and pairs do not say which of the others show the same.
PAIR_LOSSES: tuple[LossName, ...] = ("contrastive", "contrastive-paper", "multi-similarity", "pair-head")


def train_on_pairs(
    labelled: LabelledPairs,
    split: Split,
    config: TrainingConfig,
    out: Path,
    *,
    device: str = "auto",
    resume: bool = False,
    limits: ImageLimits = DEFAULT_LIMITS,
    progress: Progress | None = None,
) -> TrainingReport:
    """Train an encoder on the pairs of the split's training part and write its checkpoint to `out`.

    The weights of the epoch with the best AUC of the validation pairs are kept, and calibrated on them. The
    rest is as in `siamese.training.train`, and so is what is raised; beside it UnusableData for a loss that
    pairs cannot teach, or a class head.
    """
    refuse_labels_needed(config)
    read = partial(read_pair_data, labelled, split)
    return train_on(read, split, config, out, device=device, resume=resume, limits=limits, progress=progress)


def refuse_labels_needed(config: TrainingConfig) -> None:
    """Raises UnusableData where something is to be learned that pairs do not say."""
    if config.loss not in PAIR_LOSSES:
        raise UnusableData(
            f"the loss {config.loss} needs a label of every image; from pairs learn {', '.join(PAIR_LOSSES)}"
        )
    if config.class_head:
        raise UnusableData(
            f"a class head (its weight is {config.class_head:g}) needs a label of every image; from pairs "
            "leave it out, with --class-head 0 or class_head = 0 in the config file"
        )
