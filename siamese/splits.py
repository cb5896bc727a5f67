"""Splits: which file is trained on, which one chooses the epoch, which one is held out.

A content (one checksum) belongs to one part. Contents that stand under two labels are conflicts: no part uses
them. A split names its files by relative path, label and checksum, so that a checkpoint carries the proof of
what it has seen.
"""

from collections import defaultdict
from collections.abc import Sequence
from itertools import chain
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from siamese.errors import UnusableData
from siamese.samples import Sample, conflicting_checksums

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")

PAPER_SEED = 42
# A label with fewer contents stays whole in training: a held-out image needs another one to be found.
SMALLEST_LABEL_TESTED = 3
SMALLEST_LABEL_VALIDATED = 4


class SplitFile(BaseModel):
    """A file as a split records it."""

    model_config = ConfigDict(frozen=True)

    uri: str
    label: str
    checksum: str


class Split(BaseModel):
    """Every file's part, with what the data made impossible.

    `duplicates` are all but the first file of each content, `conflicts` all files whose content stands under
    two labels. Both may still be listed in the parts of a paper or given split, whose counts are not ours to
    change; `usable` leaves them out.
    """

    model_config = ConfigDict(frozen=True)

    kind: Literal["stratified", "paper", "given"]
    seed: int | None
    train: tuple[SplitFile, ...]
    validation: tuple[SplitFile, ...]
    test: tuple[SplitFile, ...]
    duplicates: tuple[SplitFile, ...] = ()
    conflicts: tuple[SplitFile, ...] = ()

    def files(self, part: Part) -> tuple[SplitFile, ...]:
        """The part as it was drawn."""
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        return parts[part]

    def usable(self, part: Part) -> tuple[SplitFile, ...]:
        """The part's distinct contents: no conflict, no second copy, nothing that a later part holds too."""
        later = chain.from_iterable(self.files(other) for other in PARTS[PARTS.index(part) + 1 :])
        taken = {file.checksum for file in chain(self.conflicts, later)}
        distinct: dict[str, SplitFile] = {}
        for file in self.files(part):
            if file.checksum not in taken:
                distinct.setdefault(file.checksum, file)
        return tuple(distinct.values())

    def held_out(self) -> Part | None:
        """The part that judges: test, or validation where there is no test part, or none."""
        return next((part for part in ("test", "validation") if self.usable(part)), None)


def stratified_split(
    samples: Sequence[Sample], *, seed: int = 42, test: float = 0.1, validation: float = 0.1
) -> Split:
    """A share of each label's contents for every part, drawn with `seed` alone.

    `test` and `validation` are shares of all contents. A label gives at least one content to each part it can
    afford; one with fewer than 3 stays whole in training.

    Raises UnusableData where there are not two labels to tell apart, or the shares leave nothing to train on.
    """
    if min(test, validation) < 0 or test + validation >= 1:
        raise UnusableData(
            f"shares of {test:g} for testing and {validation:g} for validating leave nothing to train on: "
            "choose two from 0 on that stay below 1 together"
        )
    _refuse_unusable(samples)
    conflicts = conflicting_checksums(samples)
    contents: dict[str, dict[str, list[Sample]]] = defaultdict(lambda: defaultdict(list))
    for sample in sorted(samples, key=_uri):
        if sample.checksum not in conflicts:
            contents[sample.label][sample.checksum].append(sample)
    generator = np.random.default_rng(seed)
    parts: dict[Part, list[Sample]] = {part: [] for part in PARTS}
    for label in sorted(contents):
        copies = list(contents[label].values())
        order = generator.permutation(len(copies))
        tested, validated = _shares(len(copies), test=test, validation=validation)
        for position, index in enumerate(order):
            parts[_part_at(position, tested, validated)].extend(copies[index])
    return _recorded("stratified", seed, samples, parts)


def paper_split(samples: Sequence[Sample]) -> Split:
    """The split of Livieris et al. (J. Imaging 2023, 9(10), 224), file for file.

    Sorted relative paths, 10 % test, then 10 % of the rest validation, by scikit-learn's `train_test_split`
    with `random_state=42`. Duplicates are not kept together; `Split.usable` leaves them out.

    Raises UnusableData where there are not two labels, or fewer than three files.
    """
    from sklearn.model_selection import (
        train_test_split,
    )  # a second to import: loading a checkpoint needs none

    _refuse_unusable(samples)
    ordered = sorted(samples, key=_uri)
    if len(ordered) < len(PARTS):
        raise UnusableData(
            f"the paper's split needs at least {len(PARTS)} images, and there are {len(ordered)}"
        )
    rest, test = train_test_split(ordered, test_size=0.1, random_state=PAPER_SEED)
    train, validation = train_test_split(rest, test_size=0.1, random_state=PAPER_SEED)
    return _recorded("paper", PAPER_SEED, samples, {"train": train, "validation": validation, "test": test})


def given_split(train: Sequence[Sample], validation: Sequence[Sample]) -> Split:
    """Two folders as they were given: one to train on, one to validate with.

    Raises UnusableData where the training folder has not two labels.
    """
    _refuse_unusable(train)
    parts: dict[Part, list[Sample]] = {
        "train": sorted(train, key=_uri),
        "validation": sorted(validation, key=_uri),
        "test": [],
    }
    return _recorded("given", None, [*parts["train"], *parts["validation"]], parts)


def _uri(sample: Sample) -> str:
    return sample.uri


def _refuse_unusable(samples: Sequence[Sample]) -> None:
    labels = {sample.label for sample in samples}
    if not samples:
        raise UnusableData("there is no image to learn from; a folder for each label is needed")
    if len(labels) < 2:
        raise UnusableData(
            f"all {len(samples)} images have the label {labels.pop()!r}; "
            "learning needs at least two labels, one folder for each"
        )


def _shares(count: int, *, test: float, validation: float) -> tuple[int, int]:
    def share(fraction: float, smallest: int) -> int:
        return max(1, round(count * fraction)) if fraction > 0 and count >= smallest else 0

    return share(test, SMALLEST_LABEL_TESTED), share(validation, SMALLEST_LABEL_VALIDATED)


def _part_at(position: int, tested: int, validated: int) -> Part:
    if position < tested:
        return "test"
    return "validation" if position < tested + validated else "train"


def _recorded(
    kind: Literal["stratified", "paper", "given"],
    seed: int | None,
    samples: Sequence[Sample],
    parts: dict[Part, list[Sample]],
) -> Split:
    conflicts = conflicting_checksums(samples)
    seen: set[str] = set()
    duplicates = []
    for sample in sorted(samples, key=_uri):
        if sample.checksum in seen and sample.checksum not in conflicts:
            duplicates.append(sample)
        seen.add(sample.checksum)
    return Split(
        kind=kind,
        seed=seed,
        **{part: _files(members) for part, members in parts.items()},
        duplicates=_files(duplicates),
        conflicts=_files([sample for sample in sorted(samples, key=_uri) if sample.checksum in conflicts]),
    )


def _files(samples: Sequence[Sample]) -> tuple[SplitFile, ...]:
    return tuple(
        SplitFile(uri=sample.uri, label=sample.label, checksum=sample.checksum) for sample in samples
    )
