"""Units: images that must stay in one part of a split, because they are not independent of one another.

Images are tied by equal bytes, by being near-duplicates, and by an equal group key such as the listing they
come from. Ties are transitive: a is tied to c where a repeats b and b belongs to the group of c.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from siamese.samples import Sample

NOTHING: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Ties:
    """What ties images together beside equal bytes: found elsewhere, and passed in.

    `near_duplicates` are pairs of checksums, None where nobody looked for them; `groups` gives the key of
    each uri that has one, None where nobody asked for groups.
    """

    near_duplicates: tuple[tuple[str, str], ...] | None = None
    groups: Mapping[str, str] | None = None


NO_TIES = Ties()


@dataclass(frozen=True, slots=True)
class TiesFinder:
    """Looks for ties when it is asked; None for what nobody wants to know."""

    near_duplicates: Callable[[Sequence[Sample]], tuple[tuple[str, str], ...]] | None = None
    groups: Callable[[Sequence[Sample]], Mapping[str, str]] | None = None

    @property
    def sought(self) -> list[str]:
        """What it looks for, in words."""
        return [
            name
            for name, find in (("near-duplicates", self.near_duplicates), ("groups", self.groups))
            if find is not None
        ]

    def find(self, samples: Sequence[Sample]) -> Ties:
        """What ties the samples; raises what looking raises."""
        groups = self.groups(samples) if self.groups else None  # seconds before minutes
        return Ties(self.near_duplicates(samples) if self.near_duplicates else None, groups)


NO_FINDER = TiesFinder()


class UnitCounts(BaseModel, frozen=True):
    """How many units there are, and what made them; None for what nobody looked for.

    `near_duplicates` are pairs of different contents, `near_conflicts` those of them under two labels.
    `ungrouped` images have no group key; `joined_groups` share a unit with another group, by a duplicate or a
    near-duplicate; `mixed_groups` have images of several labels.
    """

    units: int
    near_duplicates: int | None = None
    near_conflicts: int | None = None
    groups: int | None = None
    ungrouped: int | None = None
    joined_groups: int | None = None
    mixed_groups: int | None = None

    def found(self) -> dict[str, int]:
        """What was looked for, as numbers."""
        return {name: count for name, count in self.model_dump().items() if count is not None}


@dataclass(frozen=True, slots=True)
class Units:
    """The unit of each sample, numbered from 0 in the order of their first uris."""

    of: Mapping[Sample, int]
    counts: UnitCounts


def apart(samples: Sequence[Sample], units: Mapping[str, int]) -> NDArray[np.str_]:
    """(n,) the name of each sample's unit, or its content's: two samples with equal names must not meet.

    `units` has the units of the contents (checksums) that are known to belong to one.
    """
    return np.array([str(units.get(sample.checksum, sample.checksum)) for sample in samples], np.str_)


def merge(samples: Sequence[Sample], ties: Ties = NO_TIES, *, known: Mapping[str, int] = NOTHING) -> Units:
    """The units of the samples: the connected components of all that ties them.

    `known` has the units of contents (checksums) that were found before; they are only ever joined.
    """
    ordered = sorted(samples, key=lambda sample: sample.uri)
    contents = {sample.checksum for sample in ordered}
    pairs = [pair for pair in ties.near_duplicates or () if contents.issuperset(pair)]
    links: list[tuple[Hashable, Hashable]] = [(sample, sample.checksum) for sample in ordered]
    links += [(sample, _Key(key)) for sample in ordered if (key := _key(sample, ties)) is not None]
    links += pairs
    links += [(checksum, known[checksum]) for checksum in contents & known.keys()]
    component = connected(links)
    numbers: dict[int, int] = {}
    of = {sample: numbers.setdefault(component[sample], len(numbers)) for sample in ordered}
    counts = {"units": len(numbers)} | _near_counts(ordered, pairs, ties) | _group_counts(of, ties)
    return Units(of, UnitCounts.model_validate(counts))


@dataclass(frozen=True, slots=True)
class _Key:
    """A group key, which may read like a checksum and is none."""

    text: str


def _key(sample: Sample, ties: Ties) -> str | None:
    return None if ties.groups is None else ties.groups.get(sample.uri)


def connected(links: Sequence[tuple[Hashable, Hashable]]) -> dict[Hashable, int]:
    """The number of the connected component of every end of a link."""
    from scipy.sparse import coo_array  # half a second to import: reading a checkpoint needs none
    from scipy.sparse.csgraph import connected_components

    number: dict[Hashable, int] = {}
    ends = np.array([[number.setdefault(end, len(number)) for end in link] for link in links], np.int32)
    first, second = ends.reshape(-1, 2).T
    graph = coo_array((np.ones(len(links), np.int8), (first, second)), shape=(len(number), len(number)))
    component = connected_components(graph, directed=False)[1]
    return {end: int(component[at]) for end, at in number.items()}


def _near_counts(samples: Iterable[Sample], pairs: Sequence[tuple[str, str]], ties: Ties) -> dict[str, int]:
    if ties.near_duplicates is None:
        return {}
    labels = defaultdict(set)
    for sample in samples:
        labels[sample.checksum].add(sample.label)
    conflicting = sum(len(labels[first] | labels[second]) > 1 for first, second in pairs)
    return {"near_duplicates": len(pairs), "near_conflicts": conflicting}


def _group_counts(of: Mapping[Sample, int], ties: Ties) -> dict[str, int]:
    if ties.groups is None:
        return {}
    labels, keys, unit_of = defaultdict(set), defaultdict(set), {}
    for sample, unit in of.items():
        key = _key(sample, ties)
        if key is not None:
            labels[key].add(sample.label)
            keys[unit].add(key)
            unit_of[key] = unit
    return {
        "groups": len(unit_of),
        "ungrouped": sum(_key(sample, ties) is None for sample in of),
        "joined_groups": sum(len(keys[unit]) > 1 for unit in unit_of.values()),
        "mixed_groups": sum(len(names) > 1 for names in labels.values()),
    }
