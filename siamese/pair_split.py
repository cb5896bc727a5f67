"""Splits of labelled pairs: no image is in two parts, and neither is anything that is tied to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping

import numpy as np

from siamese.errors import UnusableData
from siamese.labelled_pairs import LabelledPairs
from siamese.pairs import PairCounts, Pairs
from siamese.samples import Sample
from siamese.splits import PARTS, Part, Split, recorded, refuse_shares
from siamese.stratification import draw_parts
from siamese.units import NO_TIES, Ties, connected, merge

# A component with more of all pairs than this is cut: kept whole, it would leave nothing to judge by.
LARGEST_WHOLE = 0.5

KINDS = {True: "same", False: "different"}


def split_pairs(
    labelled: LabelledPairs,
    *,
    seed: int = 42,
    test: float = 0.1,
    validation: float = 0.1,
    ties: Ties = NO_TIES,
) -> Split:
    """A share of the pairs of each kind for every part, drawn with `seed` alone; `ties` are kept, too.

    Images that pairs connect stay together. Where one such component holds more than half of all pairs, as
    pairs that were drawn at random soon do, its images are drawn one by one instead, so many for each part,
    and the pairs between two parts are lost: `Split.pairs` says how many. What it records as a unit is what
    `ties` and equal bytes tie, without the pairs: two images that people compared may be judged again.

    Raises UnusableData where the pairs are of one kind, or the shares leave nothing to train on.
    """
    refuse_shares(test, validation)
    _refuse_one_kind(labelled.pairs, "all")
    base = merge(labelled.samples, ties)
    units, contents = _units(labelled, base.of)
    places = draw_parts(contents, (test, validation), seed=seed)
    order: tuple[Part, ...] = ("test", "validation", "train")
    parts: dict[Part, list[Sample]] = {part: [] for part in PARTS}
    for sample, unit in zip(labelled.samples, units, strict=True):
        parts[order[places[unit]]].append(sample)
    kept = {part: pairs_within(labelled, {sample.checksum for sample in parts[part]}) for part in PARTS}
    _refuse_one_kind(kept["train"], "all training")
    lost = len(labelled.pairs) - sum(map(len, kept.values()))
    counts = {part: len(pairs) for part, pairs in kept.items()}
    pairs = PairCounts(digest=labelled.digest, lost=lost, **counts)
    return recorded("pairs", seed, base, parts).model_copy(update={"pairs": pairs})


def pairs_within(labelled: LabelledPairs, checksums: set[str]) -> Pairs:
    """The pairs of two of these contents, by positions among all samples."""
    inside = np.array([sample.checksum in checksums for sample in labelled.samples], np.bool_)
    return labelled.pairs.chosen(inside[labelled.pairs.queries] & inside[labelled.pairs.references])


def _units(labelled: LabelledPairs, base: Mapping[Sample, int]) -> tuple[list[int], list[Counter[str]]]:
    """The unit of each sample, its component or what it is tied to where that is cut; and what each holds.

    Shares are of the pairs of each kind, or of the images of what is cut.
    """
    components = _components(labelled, base)
    pairs = labelled.pairs
    held = Counter(components[query] for query in pairs.queries.tolist())
    cut = {name for name, count in held.items() if count > LARGEST_WHOLE * len(pairs)}
    names = [
        (component in cut, base[sample] if component in cut else component)
        for sample, component in zip(labelled.samples, components, strict=True)
    ]
    number_of = {name: number for number, name in enumerate(dict.fromkeys(names))}
    units = [number_of[name] for name in names]
    contents: list[Counter[str]] = [Counter() for _ in number_of]
    for name, unit in zip(names, units, strict=True):
        contents[unit].update(["image"] if name[0] else [])
    for query, same in zip(pairs.queries.tolist(), pairs.same.tolist(), strict=True):
        contents[units[query]].update([] if names[query][0] else [KINDS[same]])
    return units, contents


def _components(labelled: LabelledPairs, base: Mapping[Sample, int]) -> list[int]:
    """The component of each sample, by pairs and by what ties it."""
    of = [base[sample] for sample in labelled.samples]
    ends = zip(labelled.pairs.queries.tolist(), labelled.pairs.references.tolist(), strict=True)
    links: list[tuple[Hashable, Hashable]] = [(unit, unit) for unit in of]
    component = connected(links + [(of[query], of[reference]) for query, reference in ends])
    return [component[unit] for unit in of]


def _refuse_one_kind(pairs: Pairs, which: str) -> None:
    if not pairs.of_both_kinds:
        kind = KINDS[bool(pairs.same.any())] if len(pairs) else "of neither kind"
        raise UnusableData(
            f"{which} {len(pairs)} usable pairs are {kind}; learning needs same and different pairs"
        )
