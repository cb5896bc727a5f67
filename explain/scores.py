"""What a piece of evidence explains: a number of a pair, as a value passed in.

A score gives its value, and the gradient of D numbers that turns local embeddings into its maps; any head
on the embeddings can be one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from explain import maps
from explain.maps import Floats, Gradients, Pairs


class Score(Protocol):
    """A number of a pair of embeddings that can be traced back to cells."""

    @property
    def of(self) -> str:
        """The number's name: "cosine" or "distance"."""

    @property
    def method(self) -> str:
        """The name of the maps: "relevance" where they add up, "grad-cam" where they do not."""

    @property
    def adds_up(self) -> bool:
        """Whether the map of either image sums to the value."""

    @property
    def towards_same(self) -> int:
        """+1 where a greater value speaks for the verdict "same", -1 where it speaks for "different"."""

    def values(self, pairs: Pairs) -> Floats:
        """Return the number for every pair, (k,)."""

    def gradients(self, pairs: Pairs) -> Gradients:
        """Return its gradients at both embeddings."""

    def baseline(self, threshold: float) -> float:
        """Return what its maps are measured from where the verdict turns at a distance of `threshold`."""


@dataclass(frozen=True, slots=True)
class Cosine:
    """The cosine by its relevance maps: Grad-CAM of the inner product with the lengths held constant."""

    of: str = "cosine"
    method: str = "relevance"
    adds_up: bool = True
    towards_same: int = 1

    def values(self, pairs: Pairs) -> Floats:
        """Return 1 - d^2 / 2 for every pair, (k,); 0 where it is undefined."""
        return np.where(maps.comparable(pairs), cosine_at(maps.distances(pairs)), 0.0)

    def gradients(self, pairs: Pairs) -> Gradients:
        """Return the gradients of the inner product over constant lengths."""
        return maps.cosine_gradients(pairs)

    def baseline(self, threshold: float) -> float:
        """Return the cosine at that distance."""
        return float(cosine_at(threshold))


@dataclass(frozen=True, slots=True)
class Distance:
    """The plain distance by Grad-CAM: its maps sum to zero and are measured from 0."""

    of: str = "distance"
    method: str = "grad-cam"
    adds_up: bool = False
    towards_same: int = -1

    def values(self, pairs: Pairs) -> Floats:
        """Return |z_q - z_m| for every pair, (k,); 0 where it is undefined."""
        return np.where(maps.comparable(pairs), maps.distances(pairs), 0.0)

    def gradients(self, pairs: Pairs) -> Gradients:
        """Return the gradients of the distance."""
        return maps.distance_gradients(pairs)

    def baseline(self, threshold: float) -> float:
        """Return 0: the level of the distance is not in its gradient."""
        return 0.0


COSINE = Cosine()
DISTANCE = Distance()
SCORES: dict[str, Score] = {score.of: score for score in (COSINE, DISTANCE)}


def cosine_at(distance: Floats | float) -> Floats:
    """Return the cosine 1 - d^2 / 2 of two unit embeddings at that distance."""
    return np.asarray(1.0 - distance**2 / 2)
