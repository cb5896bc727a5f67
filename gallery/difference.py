"""What happened between the places of the published build and those that were found now.

A place is content at a uri with a label. Who keeps an image_id is decided here alone, in this order:

1. the same content at the same uri: the same id (and its label is taken over);
2. content whose old place is gone, found at a new one: moved, the same id. Where several places hold the
   same content, files of the same name are paired first, then the rest in the order of their uris;
3. content that was at this very uri in an earlier build and was ended since: restored, the id that it had
   there, because an image_id names content at a place (the latest one, if it had several);
4. everything else gets a new id.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath


@dataclass(frozen=True, slots=True)
class Place:
    """Where content was found now, and what it shows."""

    uri: str
    label: str | None
    checksum: str


@dataclass(frozen=True, slots=True)
class OldPlace:
    """A place of the published build that a scan has looked for."""

    image_id: int
    uri: str
    label: str | None
    checksum: str


@dataclass(frozen=True, slots=True)
class EndedPlace:
    """A place that an earlier build ended, of an image that lives nowhere now."""

    image_id: int
    uri: str
    checksum: str
    until_build: int


@dataclass(frozen=True, slots=True)
class Difference:
    """Each new place is in exactly one of kept, restored and new; each old one in kept or ended."""

    kept: tuple[tuple[OldPlace, Place], ...]
    restored: tuple[tuple[int, Place], ...]
    new: tuple[Place, ...]
    ended: tuple[OldPlace, ...]

    @property
    def unchanged(self) -> int:
        """Images whose uri and label are what they were."""
        return len(self.kept) - len(self.displaced)

    @property
    def displaced(self) -> tuple[tuple[OldPlace, Place], ...]:
        """Images that keep their id at another uri or with another label."""
        return tuple(
            pair for pair in self.kept if (pair[0].uri, pair[0].label) != (pair[1].uri, pair[1].label)
        )

    @property
    def moved(self) -> int:
        """Images at another uri; one whose label is another, too, also counts as relabelled."""
        return sum(old.uri != place.uri for old, place in self.kept)

    @property
    def relabelled(self) -> int:
        """Images with another label."""
        return sum(old.label != place.label for old, place in self.kept)

    @property
    def changed(self) -> int:
        """Uris whose old image ended and where an image that was not live begins: their bytes changed."""
        return len(self._begun & self._ended)

    @property
    def added(self) -> int:
        """Images that begin at uris where none ended, restored ones included."""
        return len(self._begun - self._ended)

    @property
    def removed(self) -> int:
        """Images that ended and that no changed bytes took the place of."""
        return len(self._ended - self._begun)

    @property
    def is_empty(self) -> bool:
        """Whether every place is what it was."""
        return not (self.displaced or self.restored or self.new or self.ended)

    @property
    def _begun(self) -> set[str]:
        return {place.uri for place in self.new} | {place.uri for _, place in self.restored}

    @property
    def _ended(self) -> set[str]:
        return {old.uri for old in self.ended}


def difference(
    old: Iterable[OldPlace], found: Iterable[Place], earlier: Iterable[EndedPlace] = ()
) -> Difference:
    """Pair the old places with those found now; the order of the arguments' elements does not matter.

    `old` are the live places below the scanned roots, `found` all places found there, `earlier` the ended
    ones at uris of `found`. ValueError if two places are found at one uri.
    """
    gone = {place.uri: place for place in old}
    places = sorted(found, key=lambda place: place.uri)
    if len({place.uri for place in places}) < len(places):
        raise ValueError("Two places were found at one uri; a uri holds one content.")
    stayed, arrived = _stayed(gone, places)
    for kept, _ in stayed:
        del gone[kept.uri]
    moved = _moved(gone.values(), arrived)
    ended, arrived = _without(gone.values(), arrived, moved)
    restored = _restored(earlier, arrived)
    return Difference(
        kept=tuple(sorted([*stayed, *moved], key=lambda pair: pair[1].uri)),
        restored=tuple((restored[place.uri], place) for place in arrived if place.uri in restored),
        new=tuple(place for place in arrived if place.uri not in restored),
        ended=tuple(sorted(ended, key=lambda place: place.uri)),
    )


def _stayed(
    old: dict[str, OldPlace], places: Sequence[Place]
) -> tuple[list[tuple[OldPlace, Place]], list[Place]]:
    stayed: list[tuple[OldPlace, Place]] = []
    arrived: list[Place] = []
    for place in places:
        before = old.get(place.uri)
        if before is not None and before.checksum == place.checksum:
            stayed.append((before, place))
        else:
            arrived.append(place)
    return stayed, arrived


def _moved(gone: Iterable[OldPlace], arrived: Sequence[Place]) -> list[tuple[OldPlace, Place]]:
    olds = sorted(gone, key=lambda place: place.uri)
    namesakes = _paired(olds, arrived, key=lambda place: (place.checksum, PurePath(place.uri).name))
    left, unpaired = _without(olds, arrived, namesakes)
    return [*namesakes, *_paired(left, unpaired, key=lambda place: place.checksum)]


def _paired(
    olds: Iterable[OldPlace], places: Iterable[Place], *, key: Callable[[OldPlace | Place], Hashable]
) -> list[tuple[OldPlace, Place]]:
    waiting: dict[Hashable, deque[OldPlace]] = defaultdict(deque)
    for old in olds:
        waiting[key(old)].append(old)
    return [(waiting[key(place)].popleft(), place) for place in places if waiting[key(place)]]


def _without(
    olds: Iterable[OldPlace], places: Iterable[Place], pairs: Iterable[tuple[OldPlace, Place]]
) -> tuple[list[OldPlace], list[Place]]:
    uris = [(old.uri, place.uri) for old, place in pairs]
    left, taken = {old for old, _ in uris}, {new for _, new in uris}
    return [old for old in olds if old.uri not in left], [place for place in places if place.uri not in taken]


def _restored(earlier: Iterable[EndedPlace], arrived: Sequence[Place]) -> dict[str, int]:
    wanted = {(place.uri, place.checksum) for place in arrived}
    restored: dict[str, int] = {}
    given: set[int] = set()
    for ended in sorted(earlier, key=lambda each: (-each.until_build, each.image_id, each.uri)):
        if (ended.uri, ended.checksum) not in wanted or ended.uri in restored or ended.image_id in given:
            continue
        restored[ended.uri] = ended.image_id
        given.add(ended.image_id)
    return restored
