"""Protocols: which images ask, and which may be found, so that nothing is judged by what taught it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from siamese.errors import UnusableData
from siamese.samples import Sample, conflicting_checksums
from siamese.splits import PARTS, Part, Split, SplitFile
from siamese.units import NO_FINDER, TiesFinder, Units, merge

ProtocolKind = Literal["queries", "held-out", "leave-one-out"]

# A folder is the one that was trained on when at least this share of the recorded files is still there,
# unchanged and in its place: a few files may have come, gone or changed since.
RECOGNISED_SHARE = 0.5

# Held-out labels that a statement names before it only counts them.
LABELS_NAMED = 5

HONEST_WAY = "name images that it has not seen, with --queries DIR, for the honest ones"


@dataclass(frozen=True, slots=True)
class Protocol:
    """Who asks whom: distinct contents, none of them under two labels.

    `sizes` counts the parts, everything that was left out, and the units found; `statement` says the
    protocol as a sentence. For leave-one-out, queries and references are the same samples. `units` has the
    unit of every content (checksum) that is known to belong to one.
    """

    kind: ProtocolKind
    statement: str
    queries: tuple[Sample, ...]
    references: tuple[Sample, ...]
    sizes: dict[str, int]
    units: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.queries:
            raise UnusableData("there is no query image to evaluate with")
        if len({sample.checksum for sample in (*self.queries, *self.references)}) < 2:
            raise UnusableData("an evaluation needs at least two images with different contents")


def choose_protocol(
    samples: Sequence[Sample],
    *,
    queries: Sequence[Sample] | None = None,
    split: Split | None = None,
    ties: TiesFinder = NO_FINDER,
) -> Protocol:
    """Given queries against the samples; else, on the folder that `split` was drawn from, its held-out part
    against its training part, or its held-out labels among themselves; else each sample against all others.

    `split` is what the checkpoint recorded: queries that it was trained on or validated with are counted, and
    the statement says so. `ties` is asked what ties the images together, on the split's own folder for what
    the split did not look for, and for groups again, since another key makes other ones.
    Raises UnusableData where nothing is left to compare.
    """
    if queries is None and split is not None and _recognised(split, samples):
        held_out = _held_out(samples, split)
        if held_out is not None:
            return _tied(held_out, samples, split, ties)
    asked = _leave_one_out(samples, split) if queries is None else _given_queries(queries, samples, split)
    everything = [*samples, *(queries or ())]
    units = merge(everything, ties.find(everything))
    return replace(asked, sizes=asked.sizes | units.counts.found(), units=_of_contents(units))


def _given_queries(queries: Sequence[Sample], samples: Sequence[Sample], split: Split | None) -> Protocol:
    conflicts = conflicting_checksums([*queries, *samples])
    asking, answering = _distinct(queries, conflicts), _distinct(samples, conflicts)
    sizes = _left_out([*queries, *samples], conflicts, kept=len(asking) + len(answering))
    statement = "the given queries against the images of the folder"
    return _stated("queries", statement, asking, answering, sizes, split)


def _leave_one_out(samples: Sequence[Sample], split: Split | None) -> Protocol:
    conflicts = conflicting_checksums(samples)
    images = _distinct(samples, conflicts)
    sizes = _left_out(samples, conflicts, kept=len(images))
    statement = "each image of the folder against all the others (leave-one-out)"
    return _stated("leave-one-out", statement, images, images, sizes, split)


def _held_out(samples: Sequence[Sample], split: Split) -> Protocol | None:
    """None where the split holds nothing out, or what it holds out lies in another folder."""
    part = split.held_out()
    asking = _found(split.judged(part), samples) if part else ()
    new_labels = part == "test" and bool(split.held_out_labels)
    answering = asking if new_labels else _found(split.usable("train"), samples)
    if not asking or not answering:
        return None
    statement = f"the {part} part of the checkpoint's split against its training part"
    if new_labels:
        statement = (
            f"the images of {len(split.held_out_labels)} labels that were held out of training "
            f"({_listed(split.held_out_labels)}) against each other (leave-one-out)"
        )
    kind: ProtocolKind = "leave-one-out" if new_labels else "held-out"
    stated = _stated(kind, statement, asking, answering, _sizes(samples, split), split)
    return replace(stated, units=split.units())


def _tied(asked: Protocol, samples: Sequence[Sample], split: Split, ties: TiesFinder) -> Protocol:
    """The protocol on the split's own folder, its units joined by ties that the split knows nothing of."""
    if split.counts is not None and split.counts.near_duplicates is not None:
        ties = replace(ties, near_duplicates=None)
    if not ties.sought:
        return asked
    merged = merge(samples, ties.find(samples), known=asked.units)
    units = _of_contents(merged)
    trained = {units[sample.checksum] for sample in _found(split.files("train"), samples)}
    leaked = sum(units[query.checksum] in trained for query in asked.queries)
    statement = f"{asked.statement}; {' and '.join(ties.sought)} as asked for now are kept apart, too"
    if leaked:
        statement += (
            f", but {_share(leaked, asked.queries)} are tied to images that were trained on, which flatters "
            "the figures"
        )
    sizes = asked.sizes | merged.counts.found()
    return replace(asked, statement=statement, sizes=sizes, units=units)


def _of_contents(units: Units) -> dict[str, int]:
    return {sample.checksum: unit for sample, unit in units.of.items()}


def _sizes(samples: Sequence[Sample], split: Split) -> dict[str, int]:
    """The parts, what of them is not used, and the units that the split found."""
    sizes: dict[str, int] = {name: len(split.files(name)) for name in PARTS}
    sizes["in_no_part"] = len(samples) - sum(len(_found(split.files(name), samples)) for name in PARTS)
    sizes["duplicates_left_out"] = len(split.duplicates)
    sizes["conflicts_left_out"] = len(split.conflicts)
    sizes["tied_to_later_part"] = sum(split.tied_to_later(name) for name in PARTS)
    return sizes | (split.counts.found() if split.counts else {})


def _listed(names: Sequence[str]) -> str:
    more = len(names) - LABELS_NAMED
    return ", ".join(names[:LABELS_NAMED]) + (f" and {more} more" if more > 0 else "")


def _stated(
    kind: ProtocolKind,
    statement: str,
    queries: tuple[Sample, ...],
    references: tuple[Sample, ...],
    sizes: dict[str, int],
    split: Split | None,
) -> Protocol:
    """The protocol, which counts and says how many queries the encoder has learned from already."""
    trained, validated = _among(queries, split, "train"), _among(queries, split, "validation")
    sizes = sizes | {"queries_trained_on": trained, "queries_validated_on": validated}
    if trained:
        statement += f"; {_share(trained, queries)} were trained on, which flatters the figures: {HONEST_WAY}"
    if validated:
        statement += f"; {_share(validated, queries)} also chose the epoch and the threshold"
    return Protocol(kind, statement, queries, references, sizes)


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


def _among(samples: Sequence[Sample], split: Split | None, part: Part) -> int:
    """How many of these contents the split's part used."""
    used = {file.checksum for file in split.usable(part)} if split else set()
    return sum(sample.checksum in used for sample in samples)


def _share(count: int, queries: Sequence[Sample]) -> str:
    return f"all {count} queries" if count == len(queries) else f"{count} of the {len(queries)} queries"
