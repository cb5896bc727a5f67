"""Protocols: which images ask, and which may be found, so that nothing is judged by what taught it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from siamese.errors import UnusableData
from siamese.samples import Sample, conflicting_checksums
from siamese.splits import PARTS, Split, SplitFile

ProtocolKind = Literal["queries", "held-out", "leave-one-out"]

# A folder is the one that was trained on when at least this share of the recorded files is still there,
# unchanged and in its place: a few files may have come, gone or changed since.
RECOGNISED_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Protocol:
    """Who asks whom: distinct contents, none of them under two labels.

    `sizes` counts the parts and everything that was left out; `statement` says the protocol as a sentence.
    For leave-one-out, queries and references are the same samples.
    """

    kind: ProtocolKind
    statement: str
    queries: tuple[Sample, ...]
    references: tuple[Sample, ...]
    sizes: dict[str, int]

    def __post_init__(self) -> None:
        if not self.queries:
            raise UnusableData("there is no query image to evaluate with")
        if len({sample.checksum for sample in (*self.queries, *self.references)}) < 2:
            raise UnusableData("an evaluation needs at least two images with different contents")


def choose_protocol(
    samples: Sequence[Sample], *, queries: Sequence[Sample] | None = None, split: Split | None = None
) -> Protocol:
    """Given queries against the samples; else, on the folder that `split` was drawn from, its held-out part
    against its training part; else each sample against all others.

    `split` is what the checkpoint recorded. Raises UnusableData where nothing is left to compare.
    """
    if queries is not None:
        return _given_queries(queries, samples, split)
    if split is not None and _recognised(split, samples):
        return _held_out(samples, split)
    return _leave_one_out(samples, split)


def _given_queries(queries: Sequence[Sample], samples: Sequence[Sample], split: Split | None) -> Protocol:
    conflicts = conflicting_checksums([*queries, *samples])
    asking, answering = _distinct(queries, conflicts), _distinct(samples, conflicts)
    sizes = _left_out([*queries, *samples], conflicts, kept=len(asking) + len(answering))
    sizes["queries_trained_on"] = _trained_on(asking, split)
    return Protocol("queries", "the given queries against the images of the folder", asking, answering, sizes)


def _leave_one_out(samples: Sequence[Sample], split: Split | None) -> Protocol:
    conflicts = conflicting_checksums(samples)
    images = _distinct(samples, conflicts)
    sizes = _left_out(samples, conflicts, kept=len(images))
    sizes["queries_trained_on"] = _trained_on(images, split)
    statement = "each image of the folder against all the others (leave-one-out)"
    return Protocol("leave-one-out", statement, images, images, sizes)


def _held_out(samples: Sequence[Sample], split: Split) -> Protocol:
    part = split.held_out()
    if part is None:
        raise UnusableData("the checkpoint's split has no test and no validation part to evaluate on")
    sizes: dict[str, int] = {name: len(split.files(name)) for name in PARTS}
    sizes["in_no_part"] = len(samples) - sum(len(_found(split.files(name), samples)) for name in PARTS)
    sizes["duplicates_left_out"] = len(split.duplicates)
    sizes["conflicts_left_out"] = len(split.conflicts)
    sizes["queries_trained_on"] = 0
    return Protocol(
        "held-out",
        f"the {part} part of the checkpoint's split against its training part",
        _found(split.usable(part), samples),
        _found(split.usable("train"), samples),
        sizes,
    )


def _recognised(split: Split, samples: Sequence[Sample]) -> bool:
    recorded = [file for part in PARTS for file in split.files(part)]
    return len(_found(recorded, samples)) >= RECOGNISED_SHARE * len(recorded) > 0


def _found(files: Sequence[SplitFile], samples: Sequence[Sample]) -> tuple[Sample, ...]:
    """The samples that lie where the split recorded them, with the bytes they had."""
    recorded = {(file.uri, file.checksum) for file in files}
    return tuple(sample for sample in samples if (sample.uri, sample.checksum) in recorded)


def _distinct(samples: Sequence[Sample], conflicts: frozenset[str]) -> tuple[Sample, ...]:
    """The first file of each content that stands under one label."""
    first: dict[str, Sample] = {}
    for sample in sorted(samples, key=lambda sample: sample.uri):
        if sample.checksum not in conflicts:
            first.setdefault(sample.checksum, sample)
    return tuple(first.values())


def _left_out(samples: Sequence[Sample], conflicts: frozenset[str], *, kept: int) -> dict[str, int]:
    conflicting = sum(sample.checksum in conflicts for sample in samples)
    return {"duplicates_left_out": len(samples) - conflicting - kept, "conflicts_left_out": conflicting}


def _trained_on(samples: Sequence[Sample], split: Split | None) -> int:
    """How many of these contents the encoder was trained on: their figures flatter it."""
    seen = {file.checksum for file in split.files("train")} if split else set()
    return sum(sample.checksum in seen for sample in samples)
