"""A trial: embedded queries against embedded references, ranked and paired for everything that measures."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from siamese.embedded_samples import EmbeddedSamples, pair_distances, pairs_between
from siamese.errors import UnusableData
from siamese.intervals import Bootstrap
from siamese.measured import Measure
from siamese.pairs import Pairs
from siamese.protocols import Protocol
from siamese.retrieval import Ranked, rank
from siamese.shown import SHOWN, shown_pairs

SEED = 0
# Shown pairs that a calibration error of 2 % can be told from noise with.
WANTED_SHOWN = 5000
# More matches than this for a query are not what a search shows any more.
MOST_SHOWN = 2 * SHOWN

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ScoredPairs:
    """Pairs of images in two sets, and their distances (n,).

    Where the sets are one (`alone`), both images of a pair were drawn, and both are resampled.
    """

    pairs: Pairs
    distances: Floats
    queries: EmbeddedSamples
    references: EmbeddedSamples
    alone: bool

    @classmethod
    def of(cls, pairs: Pairs, queries: EmbeddedSamples, references: EmbeddedSamples) -> ScoredPairs:
        """The pairs with their distances."""
        scored = pair_distances(pairs, queries, references)
        return cls(pairs, scored, queries, references, alone=queries is references)

    def __len__(self) -> int:
        return len(self.pairs)

    @property
    def same(self) -> NDArray[np.bool_]:
        """(n,) whether the two labels are equal."""
        return self.pairs.same

    def embeddings(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Those of the queries and of the references: (n, D) each."""
        return self.queries.embeddings[self.pairs.queries], self.references.embeddings[self.pairs.references]

    def weights(self, bootstrap: Bootstrap) -> Iterator[NDArray[np.float32]]:
        """Each pair's weight in the resamples, some at a time; see `Bootstrap.of_pairs`."""
        ends = (self.pairs.queries, self.pairs.references) if self.alone else (self.pairs.queries,)
        return bootstrap.of_pairs(*ends)

    def mean(
        self,
        values: NDArray[np.bool_] | Floats,
        bootstrap: Bootstrap,
        *,
        among: NDArray[np.bool_] | None = None,
    ) -> Measure:
        """The mean of one number for each pair, or for some of them (n,), with its interval."""
        counted = np.ones(len(self)) if among is None else among.astype(np.float64)
        total = values * counted
        return self.measure(lambda weights: weights @ total / (weights @ counted), bootstrap)

    def measure(self, statistic: Callable[[NDArray[np.float32]], Floats], bootstrap: Bootstrap) -> Measure:
        """A statistic of weighted pairs, (b, n) to (b,), with its interval."""
        value = float(statistic(np.ones((1, len(self)), np.float32))[0])
        with np.errstate(invalid="ignore"):
            told = np.concatenate([statistic(weights) for weights in self.weights(bootstrap)])
        return Measure(value=value, interval=bootstrap.interval(value, told))


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """Everything that is measured on: no image of it ever meets its own content or unit.

    `pairs` are balanced, of a query and a reference; `among` balanced, of two queries; `shown` each query
    with its `k` nearest references.
    """

    protocol: Protocol
    queries: EmbeddedSamples
    references: EmbeddedSamples
    ranked: Ranked
    pairs: ScoredPairs
    among: ScoredPairs
    shown: ScoredPairs
    k: int
    bootstrap: Bootstrap
    seed: int

    @classmethod
    def of(
        cls, queries: EmbeddedSamples, references: EmbeddedSamples, *, protocol: Protocol, seed: int = SEED
    ) -> Trial:
        """Rank and pair; references that are the queries are given as the very same object.

        Raises UnusableData where no query or no reference could be read.
        """
        if not queries.samples or not references.samples:
            raise UnusableData("none of the query images, or none of the references, could be read")
        ranked = rank(
            queries.embeddings,
            references.embeddings,
            labels=(queries.labels, references.labels),
            checksums=(queries.apart, references.apart),
        )
        k = min(max(SHOWN, math.ceil(WANTED_SHOWN / len(queries.samples))), MOST_SHOWN)
        shown = shown_pairs(queries, references, k=k)
        return cls(
            protocol=protocol,
            queries=queries,
            references=references,
            ranked=ranked,
            pairs=ScoredPairs.of(pairs_between(queries, references, seed=seed), queries, references),
            among=ScoredPairs.of(pairs_between(queries, queries, seed=seed), queries, queries),
            shown=ScoredPairs.of(shown, queries, references),
            k=k,
            bootstrap=Bootstrap.of(len(queries.samples), seed=seed),
            seed=seed,
        )
