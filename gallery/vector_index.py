"""Finding the nearest embeddings: the seam to an index engine, and what every engine answers with."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray


class Nearest(NamedTuple):
    """Content ids (n,) int64 and their Euclidean distances (n,) float32, ascending, equal ones by id.

    `exhaustive` says whether all that was allowed was compared, so that nothing nearer was missed.
    """

    content_ids: NDArray[np.int64]
    distances: NDArray[np.float32]
    exhaustive: bool = True


class VectorIndex(Protocol):
    """What a gallery asks of an index engine; `tests/gallery/index_conformance.py` holds engines to it."""

    def __len__(self) -> int:
        """How many embeddings it holds."""

    def search(
        self, embedding: NDArray[np.float32], *, count: int, allowed: NDArray[np.int64] | None = None
    ) -> Nearest:
        """The `count` nearest to the embedding (D,), each id once; with `allowed`, among these ids only.

        Fewer only if fewer exist. An array of allowed ids that is read-only is known again at the next
        search. Safe to call from several threads. ValueError if count < 1 or the embedding's shape is
        another.
        """


NOTHING = Nearest(np.empty(0, np.int64), np.empty(0, np.float32))


def as_query(embedding: NDArray[np.float32], *, count: int, dimension: int) -> NDArray[np.float32]:
    """The embedding (D,) as engines read it; raises what `VectorIndex.search` says."""
    if count < 1:
        raise ValueError(f"At least one must be asked for, not {count}.")
    if embedding.shape != (dimension,):
        raise ValueError(f"The index holds {dimension} numbers each, not {embedding.shape}.")
    return np.ascontiguousarray(embedding, dtype=np.float32)


def merged(parts: Sequence[Nearest], count: int) -> Nearest:
    """The nearest of all parts, each id once."""
    ids = np.concatenate([part.content_ids for part in parts] or [NOTHING.content_ids])
    distances = np.concatenate([part.distances for part in parts] or [NOTHING.distances])
    order = np.lexsort((ids, distances))
    _, first = np.unique(ids[order], return_index=True)
    kept = order[np.sort(first)][:count]
    return Nearest(ids[kept], distances[kept], all(part.exhaustive for part in parts))
