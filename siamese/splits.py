"""Splits: which file is trained on, which one chooses the epoch, which one is held out.

A unit (siamese.units: equal bytes, near-duplicates, one group) belongs to one part. Contents that stand under
two labels are conflicts: no part uses them. A split names its files by relative path, label and checksum, so
that a checkpoint carries the proof of what it has seen.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from siamese.errors import UnusableData
from siamese.pairs import PairCounts
from siamese.samples import Sample, conflicting_checksums
from siamese.stratification import draw_parts, drawing_order
from siamese.units import NO_TIES, Ties, UnitCounts, Units, merge

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")
Kind = Literal["stratified", "paper", "given", "pairs"]

PAPER_SEED = 42
# In this order the shares of a stratified split are drawn, and training is what is left.
DRAWN: tuple[Part, ...] = ("test", "validation", "train")


class SplitFile(BaseModel):
    """A file as a split records it; `unit` is None in splits of before there were units."""

    model_config = ConfigDict(frozen=True)

    uri: str
    label: str
    checksum: str
    unit: int | None = None


class Split(BaseModel):
    """Every file's part, with what the data made impossible.

    `duplicates` are all but the first file of each content, `conflicts` all files whose content stands under
    two labels. Both may still be listed in the parts of a paper or given split, whose counts are not ours to
    change; `usable` leaves them out. `held_out_labels` are in the test part and in no other.
    """

    model_config = ConfigDict(frozen=True)

    kind: Kind
    seed: int | None
    train: tuple[SplitFile, ...]
    validation: tuple[SplitFile, ...]
    test: tuple[SplitFile, ...]
    duplicates: tuple[SplitFile, ...] = ()
    conflicts: tuple[SplitFile, ...] = ()
    held_out_labels: tuple[str, ...] = ()
    counts: UnitCounts | None = None
    pairs: PairCounts | None = None

    def files(self, part: Part) -> tuple[SplitFile, ...]:
        """The part as it was drawn."""
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        return parts[part]

    def usable(self, part: Part) -> tuple[SplitFile, ...]:
        """The part's distinct contents: no conflict, no second copy, nothing of a unit in a later part."""
        later = list(chain.from_iterable(self.files(other) for other in PARTS[PARTS.index(part) + 1 :]))
        taken = {file.checksum for file in chain(self.conflicts, later)}
        units = {file.unit for file in later} - {None}
        distinct: dict[str, SplitFile] = {}
        for file in self.files(part):
            if file.checksum not in taken and file.unit not in units:
                distinct.setdefault(file.checksum, file)
        return tuple(distinct.values())

    def judged(self, part: Part) -> tuple[SplitFile, ...]:
        """What is asked with: the usable files of the part, of held-out labels where there are any."""
        usable = self.usable(part)
        if part != "test" or not self.held_out_labels:
            return usable
        return tuple(file for file in usable if file.label in self.held_out_labels)

    def held_out(self) -> Part | None:
        """The part that judges: test, or validation where there is no test part, or none."""
        return next((part for part in ("test", "validation") if self.usable(part)), None)

    def units(self) -> dict[str, int]:
        """The unit of every content (checksum) in the parts, where it was recorded."""
        files = chain.from_iterable(self.files(part) for part in PARTS)
        return {file.checksum: file.unit for file in files if file.unit is not None}

    def tied_to_later(self, part: Part) -> int:
        """How many distinct contents the part does without, because a later part has others of their unit."""
        conflicts = {file.checksum for file in self.conflicts}
        contents = {file.checksum for file in self.files(part)} - conflicts
        return len(contents) - len(self.usable(part))


def stratified_split(
    samples: Sequence[Sample],
    *,
    seed: int = 42,
    test: float = 0.1,
    validation: float = 0.1,
    held_out_labels: Collection[str] = (),
    ties: Ties = NO_TIES,
) -> Split:
    """A share of each label's contents for every part, in whole units, drawn with `seed` alone.

    `test` and `validation` are shares of all contents. A label gives at least one content to each part it can
    afford and its units allow, so that two stay in training. With `held_out_labels` the test part is these
    labels, with whatever shares a unit with them, and nothing else.

    Raises UnusableData where there are not two labels to tell apart, or the shares leave nothing to train on.
    """
    refuse_shares(test, validation)
    refuse_unusable([sample for sample in samples if sample.label not in held_out_labels])
    units = merge(samples, ties)
    conflicts = conflicting_checksums(samples)
    members: dict[int, list[Sample]] = defaultdict(list)
    for sample, unit in units.of.items():
        if sample.checksum not in conflicts:
            members[unit].append(sample)
    tested = [unit for unit, each in members.items() if any(s.label in held_out_labels for s in each)]
    drawn = sorted(members.keys() - tested)
    shares = (0.0, validation) if held_out_labels else (test, validation)
    contents = [_contents(members[unit]) for unit in drawn]
    places = draw_parts(contents, shares, seed=seed)
    parts: dict[Part, list[Sample]] = {"train": [], "validation": [], "test": []}
    for unit in tested:
        parts["test"] += members[unit]
    for number in drawing_order(contents, seed=seed):
        parts[DRAWN[places[number]]] += members[drawn[number]]
    return recorded("stratified", seed, units, parts, held_out_labels)


def draw_labels(samples: Sequence[Sample], *, count: int, seed: int) -> tuple[str, ...]:
    """So many of the labels, drawn with the seed alone."""
    labels = sorted({sample.label for sample in samples})
    chosen = np.random.default_rng(seed).choice(len(labels), min(count, len(labels)), replace=False)
    return tuple(labels[at] for at in sorted(chosen))


def paper_split(samples: Sequence[Sample], *, ties: Ties = NO_TIES) -> Split:
    """The split of Livieris et al. (J. Imaging 2023, 9(10), 224), file for file.

    Sorted relative paths, 10 % test, then 10 % of the rest validation, by scikit-learn's `train_test_split`
    with `random_state=42`. Units are not kept together; `Split.usable` leaves out of a part what shares a
    unit with a later one, so that the published test images are judged without a leak.

    Raises UnusableData where there are not two labels, or fewer than three files.
    """
    from sklearn.model_selection import (
        train_test_split,
    )  # a second to import: loading a checkpoint needs none

    refuse_unusable(samples)
    ordered = sorted(samples, key=_uri)
    if len(ordered) < len(PARTS):
        raise UnusableData(
            f"the paper's split needs at least {len(PARTS)} images, and there are {len(ordered)}"
        )
    rest, test = train_test_split(ordered, test_size=0.1, random_state=PAPER_SEED)
    train, validation = train_test_split(rest, test_size=0.1, random_state=PAPER_SEED)
    parts: dict[Part, list[Sample]] = {"train": train, "validation": validation, "test": test}
    return recorded("paper", PAPER_SEED, merge(samples, ties), parts)


def given_split(train: Sequence[Sample], validation: Sequence[Sample], *, ties: Ties = NO_TIES) -> Split:
    """Two folders as they were given: one to train on, one to validate with.

    Raises UnusableData where the training folder has not two labels.
    """
    refuse_unusable(train)
    parts: dict[Part, list[Sample]] = {
        "train": sorted(train, key=_uri),
        "validation": sorted(validation, key=_uri),
        "test": [],
    }
    return recorded("given", None, merge([*parts["train"], *parts["validation"]], ties), parts)


def refuse_shares(test: float, validation: float) -> None:
    """Raises UnusableData where the shares leave nothing to train on."""
    if min(test, validation) < 0 or test + validation >= 1:
        raise UnusableData(
            f"shares of {test:g} for testing and {validation:g} for validating leave nothing to train on: "
            "choose two from 0 on that stay below 1 together"
        )


def refuse_unusable(samples: Sequence[Sample]) -> None:
    """Raises UnusableData where there are no two labels to tell apart."""
    labels = {sample.label for sample in samples}
    if not samples:
        raise UnusableData("there is no image to learn from; a folder for each label is needed")
    if len(labels) < 2:
        raise UnusableData(
            f"all {len(samples)} images have the label {labels.pop()!r}; "
            "learning needs at least two labels, one folder for each"
        )


def recorded(
    kind: Kind,
    seed: int | None,
    units: Units,
    parts: Mapping[Part, Sequence[Sample]],
    held_out_labels: Collection[str] = (),
) -> Split:
    """The split with these parts, and what the data made impossible."""

    def files(samples: Sequence[Sample]) -> tuple[SplitFile, ...]:
        return tuple(
            SplitFile(uri=one.uri, label=one.label, checksum=one.checksum, unit=units.of[one])
            for one in samples
        )

    ordered = sorted(units.of, key=_uri)
    conflicts = conflicting_checksums(ordered)
    first = {sample.checksum: sample for sample in reversed(ordered)}
    return Split(
        kind=kind,
        seed=seed,
        train=files(parts["train"]),
        validation=files(parts["validation"]),
        test=files(parts["test"]),
        duplicates=files([s for s in ordered if s.checksum not in conflicts and first[s.checksum] is not s]),
        conflicts=files([sample for sample in ordered if sample.checksum in conflicts]),
        held_out_labels=tuple(sorted(held_out_labels)),
        counts=units.counts,
    )


def _uri(sample: Sample) -> str:
    return sample.uri


def _contents(samples: Sequence[Sample]) -> Mapping[str, int]:
    """How many distinct contents of each label there are."""
    return Counter({sample.checksum: sample.label for sample in samples}.values())
