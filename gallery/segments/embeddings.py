"""The embeddings of some segments as they lie on disk, by their position, and exact search among them.

Positions count the rows of all parts, one part after the other.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import faiss
import numpy as np
from numpy.typing import NDArray

from gallery.errors import CorruptGallery
from gallery.vector_index import NOTHING, Nearest, merged

SCANNED_SHARE = 8
"""Reading every eighth row costs what scanning all of a part does: memory is read in pages."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Embeddings (n, D) float32 in rows, and the ids (n,) int64 of their contents, mapped or in memory."""

    content_ids: NDArray[np.int64]
    embeddings: NDArray[np.float32]
    order: NDArray[np.int64] | None = field(init=False)
    """The rows by ascending id; None where they ascend already, as they do unless two writers met."""

    def __post_init__(self) -> None:
        if self.embeddings.ndim != 2 or self.content_ids.shape != (len(self.embeddings),):
            shapes = f"{self.embeddings.shape} and {self.content_ids.shape}"
            raise ValueError(f"A part is embeddings (n, D) and as many ids (n,), not {shapes}.")
        ascending = bool((np.diff(self.content_ids) > 0).all())
        object.__setattr__(self, "order", None if ascending else np.argsort(self.content_ids, kind="stable"))

    def __len__(self) -> int:
        return len(self.content_ids)

    def rows_of(self, content_ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """The rows (m,) ascending of those of the ids, which ascend, that are here."""
        own = self.content_ids if self.order is None else self.content_ids[self.order]
        if not len(own):
            return np.empty(0, np.int64)
        low, high = np.searchsorted(content_ids, own[0]), np.searchsorted(content_ids, own[-1], side="right")
        asked = content_ids[low:high]
        places = np.searchsorted(own, asked)
        places = places[own[places] == asked]
        return places if self.order is None else np.sort(self.order[places])

    def nearest(
        self, query: NDArray[np.float32], rows: NDArray[np.int64] | None, *, count: int, limit: float
    ) -> Nearest:
        """The `count` nearest of the rows, those farther than the squared distance `limit` left out.

        Distances are squared yet.
        """
        squared = self._squared(query, rows)
        if len(squared) > count:
            limit = min(limit, float(np.partition(squared, count - 1)[count - 1]))
        near = np.flatnonzero(squared <= limit)
        return Nearest(self.content_ids[near if rows is None else rows[near]], squared[near])

    def _squared(self, query: NDArray[np.float32], rows: NDArray[np.int64] | None) -> NDArray[np.float32]:
        if rows is None:
            return squared_distances(query, self.embeddings)
        if len(rows) * SCANNED_SHARE > len(self):
            return squared_distances(query, self.embeddings)[rows]
        return squared_distances(query, self.embeddings[rows])


class Embeddings:
    """All parts together; safe for many threads."""

    def __init__(self, dimension: int, parts: Sequence[Part]) -> None:
        """Raises CorruptGallery for a part of another dimension."""
        for part in parts:
            if part.embeddings.shape[1] != dimension:
                raise CorruptGallery(
                    f"A segment holds {part.embeddings.shape[1]} numbers an embedding where its build says "
                    f"{dimension}; restore it or index again."
                )
        self.dimension = dimension
        self.parts = tuple(parts)
        self._starts = np.cumsum([0, *map(len, parts)], dtype=np.int64)

    def __len__(self) -> int:
        return int(self._starts[-1])

    def positions(self, content_ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """The positions (m,) ascending of the ids that are here."""
        asked = np.unique(content_ids)
        found = [
            part.rows_of(asked) + start for part, start in zip(self.parts, self._starts[:-1], strict=True)
        ]
        return np.concatenate([*found, np.empty(0, np.int64)])

    def content_ids(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Ids (m,) in the order of the positions."""
        if len(self.parts) == 1:
            return self.parts[0].content_ids.take(positions)
        made = np.empty(len(positions), np.int64)
        for part, places, rows in self._by_part(positions):
            made[places] = part.content_ids[rows]
        return made

    def rows(self, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        """Embeddings (m, D) in the order of the positions."""
        if len(self.parts) == 1:
            return self.parts[0].embeddings.take(positions, axis=0)
        made = np.empty((len(positions), self.dimension), np.float32)
        for part, places, rows in self._by_part(positions):
            made[places] = part.embeddings[rows]
        return made

    def nearest(
        self, query: NDArray[np.float32], *, count: int, positions: NDArray[np.int64] | None = None
    ) -> Nearest:
        """The `count` nearest to the query (D,), by exact distances; of these positions, which ascend."""
        found, limit = NOTHING, np.inf
        for part, rows in self._asked(positions):
            near = part.nearest(query, rows, count=count, limit=limit)
            if len(near.content_ids):
                found = merged([found, near], count)
                limit = float(found.distances[-1]) if len(found.distances) == count else np.inf
        return Nearest(found.content_ids, np.sqrt(found.distances))

    def _asked(self, positions: NDArray[np.int64] | None) -> Iterator[tuple[Part, NDArray[np.int64] | None]]:
        if positions is None:
            yield from ((part, None) for part in self.parts)
            return
        bounds = np.searchsorted(positions, self._starts)
        for number, part in enumerate(self.parts):
            low, high = bounds[number], bounds[number + 1]
            if high > low:
                yield part, positions[low:high] - self._starts[number]

    def _by_part(
        self, positions: NDArray[np.int64]
    ) -> Iterator[tuple[Part, NDArray[np.intp], NDArray[np.int64]]]:
        """Each part with the places in `positions` that are its own, and its rows there."""
        order = np.argsort(positions, kind="stable")
        bounds = np.searchsorted(positions[order], self._starts)
        for number in np.flatnonzero(np.diff(bounds)):
            places = order[bounds[number] : bounds[number + 1]]
            yield self.parts[number], places, positions[places] - self._starts[number]


def squared_distances(query: NDArray[np.float32], embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    """Squared Euclidean distances (n,) of embeddings (n, D) from the query (D,), from the differences."""
    rows = np.ascontiguousarray(embeddings, dtype=np.float32)
    made = np.empty(len(rows), np.float32)
    pointer = faiss.swig_ptr
    measure = faiss.fvec_L2sqr_ny  # type: ignore[attr-defined]  # faiss's stubs leave it out
    measure(pointer(made), pointer(query), pointer(rows), rows.shape[1], len(rows))
    return made
