"""How many images a new build changes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Changes:
    """How many images change, as PublishReport counts them; `stayed` are those relabelled where they were."""

    added: int
    changed: int
    moved: int
    relabelled: int
    stayed: int
    removed: int

    def __bool__(self) -> bool:
        return any((self.placed, self.removed))

    @property
    def placed(self) -> int:
        """Images that begin, or go on at another uri or with another label."""
        return self.added + self.changed + self.moved + self.stayed
