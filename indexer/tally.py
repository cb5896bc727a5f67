"""How many files of a run came to what, counted while it goes on."""

from collections import Counter

from gallery.surveys.seen import Unreadable


class Tally:
    """How many files came to what so far; its text is what a progress shows."""

    def __init__(self, verb: str) -> None:
        self.verb = verb
        self._counts: Counter[str] = Counter()
        self.first_refused: Unreadable | None = None

    def __str__(self) -> str:
        counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(self._counts.items()))
        return f"{self.verb} ({counts})" if counts else self.verb

    @property
    def counts(self) -> dict[str, int]:
        """How many files came to what."""
        return dict(self._counts)

    def count(self, outcome: str) -> None:
        """One more file came to this."""
        self._counts[outcome] += 1

    def refuse(self, file: Unreadable) -> None:
        """One more file could not be read."""
        self.count("unreadable")
        self.first_refused = self.first_refused or file
