"""Drawing the parts of a split: whole units, and of every label about the share that was asked for."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np

# Of a label that is held out, training keeps at least so many contents: a held-out image needs one to be
# found, and a single one shows nothing of what its like looks like.
LEAST_TRAINED = 2

Unit = Mapping[str, int]
"""How many contents of each label a unit holds."""


def draw_parts(units: Sequence[Unit], shares: Sequence[float], *, seed: int) -> list[int]:
    """For each unit the position of the share that it is drawn for, or `len(shares)` for the rest.

    Each share is of every label's contents. A label gives at least one content to each share as far as its
    units allow, and the rest keeps two contents of every label that gives. Units of one content are drawn
    exactly; larger ones come as near as whole units can, rare labels first (iterative stratification:
    Sechidis, Tsoumakas and Vlahavas, ECML 2011; here of units).
    """
    left: Counter[str] = Counter()
    for unit in units:
        left.update(unit)
    total = dict(left)
    parts = [len(shares)] * len(units)
    orders = _orders(units, seed)
    rare_first = sorted(orders, key=lambda label: (total[label], label))
    for position, share in enumerate(shares):
        wanted = {label: max(1, round(count * share)) for label, count in total.items() if share > 0}
        part = _Part(units, wanted, left)
        for label in rare_first:
            free = [number for number in orders[label] if parts[number] == len(shares)]
            for number in part.drawn_for(label, free):
                parts[number] = position
    return parts


def drawing_order(units: Sequence[Unit], *, seed: int) -> list[int]:
    """The units label by label, as they are drawn: the order in which a training meets them."""
    return list(dict.fromkeys(chain.from_iterable(_orders(units, seed).values())))


def _orders(units: Sequence[Unit], seed: int) -> dict[str, list[int]]:
    """The units that hold each label, in the order in which they are drawn."""
    holding: dict[str, list[int]] = defaultdict(list)
    for number, unit in enumerate(units):
        for label in unit:
            holding[label].append(number)
    generator = np.random.default_rng(seed)
    return {label: generator.permutation(holding[label]).tolist() for label in sorted(holding)}


@dataclass(slots=True)
class _Part:
    """A part while it is drawn: `left` is what no part has taken yet of each label."""

    units: Sequence[Unit]
    wanted: Mapping[str, int]
    left: Counter[str]
    drawn: Counter[str] = field(default_factory=Counter)

    def drawn_for(self, label: str, free: Sequence[int]) -> Iterator[int]:
        """The units that bring the part nearer to what it wants; for a label without any, the least bad."""
        for number in free:
            if self._lacks(label) and self._affords(number) and self._gain(number) > 0:
                yield self._taken(number)
        affordable = [number for number in free if self._affords(number)]
        if self._lacks(label) and not self.drawn[label] and affordable:
            yield self._taken(max(affordable, key=self._gain))

    def _lacks(self, label: str) -> bool:
        return self.drawn[label] < self.wanted.get(label, 0)

    def _affords(self, number: int) -> bool:
        unit = self.units[number]
        return all(self.left[label] - count >= LEAST_TRAINED for label, count in unit.items())

    def _gain(self, number: int) -> int:
        """By how many contents the part comes nearer to what it wants."""
        missing = {label: self.wanted[label] - self.drawn[label] for label in self.units[number]}
        return sum(abs(missing[label]) - abs(missing[label] - n) for label, n in self.units[number].items())

    def _taken(self, number: int) -> int:
        self.drawn.update(self.units[number])
        self.left.subtract(self.units[number])
        return number
