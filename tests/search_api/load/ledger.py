"""What must be so: which images can be found, and which build is at least the published one.

There is one gallery whose pictures are drawn by number. Those that are there from the start are in every
build, so they are found at any moment until one of them is removed; the others come and go, and are asked
for by whoever changes the gallery.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

Slots = dict[str, frozenset[int]]
"""The numbers of the pictures that came from each place."""


@dataclass
class Ledger:
    """Of one gallery, as its only visitors know it."""

    core: dict[int, int]
    """From the number of a picture that is there from the start to its image_id."""
    build: int
    """No answer to a question that is sent from now on may name an older one."""
    chance: random.Random
    slots: Slots = field(default_factory=dict)
    states: dict[int, Slots] = field(default_factory=dict)
    """What was in the builds whose state is known."""
    doomed: set[int] = field(default_factory=set)
    """Numbers of the core whose removal was asked for, perhaps not yet answered."""
    gone: set[int] = field(default_factory=set)
    """The image_ids of everything whose removal was answered: never to be seen again."""
    judged: set[int] = field(default_factory=set)
    """Numbers of the core about which a person has an opinion at the moment."""
    removals: int = 0
    """Grows when a removal begins and when it ends."""
    answers: dict[tuple[int, int, int], list[tuple[int, float]]] = field(default_factory=dict)
    """Of a picture in a build after so many removals."""

    def saw(self, build: int) -> None:
        """An answer named this build, or a job published it."""
        self.build = max(self.build, build)

    def published(self, build: int) -> None:
        """A job published what is in the slots now."""
        self.saw(build)
        self.states[build] = dict(self.slots)
        for old in sorted(self.states)[:-20]:
            del self.states[old]

    def shown(self) -> set[int]:
        """The numbers of what is in the slots now."""
        return {number for numbers in self.slots.values() for number in numbers}

    def some(self) -> int:
        """A number of the core, any."""
        return self.chance.choice(tuple(self.core))

    def live(self) -> int:
        """A number of the core that nobody is removing or judging."""
        while (number := self.some()) in self.doomed or number in self.judged:
            pass
        return number

    def answered_before(self, number: int, build: int, matches: list[tuple[int, float]]) -> bool:
        """Whether the same question in the same state had this answer; the first time it has."""
        for key in [each for each in self.answers if each[1:] != (build, self.removals)]:
            del self.answers[key]
        return self.answers.setdefault((number, build, self.removals), matches) == matches
