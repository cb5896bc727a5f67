"""Labelled pairs of a query image and a reference image, drawn with a seed."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

# Same pairs, and as many different ones, for each query image: enough that the draw itself hardly matters.
PAIRS_PER_QUERY = 20


class PairCounts(BaseModel, frozen=True):
    """Labelled pairs in each part of a split, and those `lost` between two; `digest` is that of all."""

    digest: str
    train: int
    validation: int
    test: int
    lost: int


@dataclass(frozen=True, slots=True)
class Pairs:
    """Positions of queries and of the references they are judged against, and whether both show the same."""

    queries: npt.NDArray[np.int64]
    references: npt.NDArray[np.int64]
    same: npt.NDArray[np.bool_]

    def __post_init__(self) -> None:
        if not len(self.queries) == len(self.references) == len(self.same):
            raise ValueError("A pair needs a query, a reference and a word on whether they are the same.")

    @classmethod
    def of(cls, rows: Iterable[tuple[int, int, bool]]) -> "Pairs":
        """Pairs from rows of a query, a reference and whether both show the same."""
        table = np.array(list(rows), np.int64).reshape(-1, 3)
        return cls(table[:, 0], table[:, 1], table[:, 2].astype(np.bool_))

    def __len__(self) -> int:
        return len(self.same)

    @property
    def of_both_kinds(self) -> bool:
        """Whether there is a same pair and a different one."""
        return bool(self.same.any() and not self.same.all())

    def chosen(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> "Pairs":
        """These of the pairs."""
        return Pairs(self.queries[rows], self.references[rows], self.same[rows])

    def moved(self, places: npt.NDArray[np.int64]) -> "Pairs":
        """The same pairs of images that have moved: that at position i is at `places[i]` now."""
        return Pairs(places[self.queries], places[self.references], self.same)

    def distinct(self, *, seed: int) -> "Pairs":
        """Each pair once whichever of its images asks, and again as many same as different ones.

        For queries that are the references too: there a pair can be drawn from both of its ends.
        """
        ends = np.sort(np.stack([self.queries, self.references]), axis=0)
        first = np.unique(ends, axis=1, return_index=True)[1]
        kinds = [first[self.same[first] == kind] for kind in (True, False)]
        count = min(len(kind) for kind in kinds)
        generator = np.random.default_rng(seed)
        kept = np.concatenate([np.sort(generator.choice(kind, count, replace=False)) for kind in kinds])
        return self.chosen(kept)


def draw_pairs(
    query_labels: npt.NDArray[np.str_],
    query_checksums: npt.NDArray[np.str_],
    reference_labels: npt.NDArray[np.str_],
    reference_checksums: npt.NDArray[np.str_],
    *,
    seed: int,
    per_query: int = PAIRS_PER_QUERY,
) -> Pairs:
    """For each query image `per_query` same and as many different pairs, never with its own content.

    A query with fewer possible partners of one kind gets fewer of both, so that the pairs stay balanced; one
    without any partner of either kind gets none. No pair is drawn twice for a query.
    """
    generator = np.random.default_rng(seed)
    queries, references, same = [], [], []
    for query, (label, checksum) in enumerate(zip(query_labels, query_checksums, strict=True)):
        other_content = reference_checksums != checksum
        same_label = reference_labels == label
        alike = np.flatnonzero(other_content & same_label)
        unlike = np.flatnonzero(other_content & ~same_label)
        count = min(per_query, len(alike), len(unlike))
        references += [
            generator.choice(alike, count, replace=False),
            generator.choice(unlike, count, replace=False),
        ]
        queries.append(np.full(2 * count, query))
        same.append(np.repeat([True, False], count))
    nothing = np.empty(0, np.int64)
    return Pairs(
        np.concatenate([nothing, *queries]),
        np.concatenate([nothing, *references]),
        np.concatenate([nothing.astype(np.bool_), *same]),
    )
