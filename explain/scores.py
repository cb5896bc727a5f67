"""What a piece of evidence explains: a number of a pair, as a value passed in.

A score gives its value, and the gradient of D numbers that turns local embeddings into its maps; any linear
head on the embeddings can be one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from explain import maps
from explain.errors import ExplainError
from explain.maps import Floats, Gradients, Local, Pairs

RELEVANCE = "relevance"
GRAD_CAM = "grad-cam"
AUTOGRAD = "grad-cam (autograd)"
"""Of a foreign network, see `explain.autograd`: its maps never add up."""


class Directed(Protocol):
    """A number that speaks for a verdict."""

    @property
    def towards_same(self) -> int:
        """+1 where a greater value speaks for the verdict "same", -1 where it speaks for "different".

        0 where it speaks of no pair: its maps are not turned by the verdict.
        """


class Score(Directed, Protocol):
    """A number of a pair of embeddings that can be traced back to cells."""

    @property
    def of(self) -> str:
        """The number's name: "cosine", "distance", "pair-head" or "class"."""

    @property
    def label(self) -> str | None:
        """The label whose number it is, which each image has for itself; None for a number of the pair."""

    @property
    def method(self) -> str:
        """The name of the maps: "relevance" where they add up, "grad-cam" where they do not."""

    @property
    def adds_up(self) -> bool:
        """Whether the map of either image sums to the value."""

    def values(self, pairs: Pairs) -> Floats:
        """Return the number for every pair, (k,); of a label, the matched images' own."""

    def query_values(self, pairs: Pairs) -> Floats:
        """Return what the query's map of every pair sums to, (k,); of a label, the query's own number."""

    def gradients(self, pairs: Pairs) -> Gradients:
        """Return its gradients at both embeddings."""

    def baseline(self, threshold: float | None) -> float:
        """Return what its maps are measured from where there is a verdict.

        `threshold` is the distance at which a verdict by distances turns. Raises ExplainError where the score
        needs it and there is none.
        """

    def usual(self, cosine: float | None) -> float | None:
        """Return what its maps are measured from without a verdict, None where that is 0.

        `cosine` is what two images of the gallery usually do not exceed, None where nobody knows.
        """


@dataclass(frozen=True, slots=True)
class Cosine:
    """The cosine by its relevance maps: Grad-CAM of the inner product with the lengths held constant."""

    of: str = "cosine"
    label: None = None
    method: str = RELEVANCE
    adds_up: bool = True
    towards_same: int = 1

    def values(self, pairs: Pairs) -> Floats:
        """Return 1 - d^2 / 2 for every pair, (k,); 0 where it is undefined."""
        return np.where(maps.comparable(pairs), cosine_at(maps.distances(pairs)), 0.0)

    query_values = values

    def gradients(self, pairs: Pairs) -> Gradients:
        """Return the gradients of the inner product over constant lengths."""
        return maps.cosine_gradients(pairs)

    def baseline(self, threshold: float | None) -> float:
        """Return the cosine at that distance."""
        if threshold is None:
            raise ExplainError(
                "A verdict is explained by its threshold: pass the distance at which it turns."
            )
        return float(cosine_at(threshold))

    def usual(self, cosine: float | None) -> float | None:
        """Return that cosine."""
        return cosine


@dataclass(frozen=True, slots=True)
class Distance:
    """The plain distance by Grad-CAM: its maps sum to zero and are measured from 0."""

    of: str = "distance"
    label: None = None
    method: str = GRAD_CAM
    adds_up: bool = False
    towards_same: int = -1

    def values(self, pairs: Pairs) -> Floats:
        """Return |z_q - z_m| for every pair, (k,); 0 where it is undefined."""
        return np.where(maps.comparable(pairs), maps.distances(pairs), 0.0)

    query_values = values

    def gradients(self, pairs: Pairs) -> Gradients:
        """Return the gradients of the distance."""
        return maps.distance_gradients(pairs)

    def baseline(self, threshold: float | None) -> float:
        """Return 0: the level of the distance is not in its gradient."""
        return 0.0

    def usual(self, cosine: float | None) -> None:
        """Return None: it is no cosine."""


@dataclass(frozen=True, slots=True, eq=False)
class PairHeadLogit:
    """The logit of a linear pair head, difference . |z_q - z_m| + product . (z_q o z_m) + bias.

    Lengths and signs are held constant: the map of each image is then its own part of the logit, exactly, and
    what the other image and the bias contribute alone is spread evenly over its seen cells.
    """

    difference: Local  # (D,)
    product: Local  # (D,)
    bias: float
    of: str = "pair-head"
    label: None = None
    method: str = RELEVANCE
    adds_up: bool = True
    towards_same: int = 1

    def values(self, pairs: Pairs) -> Floats:
        """Return the logit for every pair, (k,); 0 where it is undefined."""
        apart, alike = np.abs(pairs.query_unit - pairs.matched_unit), pairs.query_unit * pairs.matched_unit
        logits = apart @ self.difference.astype(np.float64) + alike @ self.product.astype(np.float64)
        return np.where(maps.comparable(pairs), logits + self.bias, 0.0)

    query_values = values

    def gradients(self, pairs: Pairs) -> Gradients:
        """Return the gradients of the logit over constant lengths and signs."""
        return maps.pair_head_gradients(
            pairs, self.difference.astype(np.float64), self.product.astype(np.float64)
        )

    def baseline(self, threshold: float | None) -> float:
        """Return 0: the logit at a probability of one half, where the head's verdict turns."""
        return 0.0

    def usual(self, cosine: float | None) -> None:
        """Return None: it is no cosine."""


@dataclass(frozen=True, slots=True, eq=False)
class ClassScore:
    """How much an image shows one label rather than the others: weight . z + bias, for each image by itself.

    The maps do not speak of the pair: whatever its verdict, factual is what shows the label.
    """

    label: str
    weight: Local  # (D,), of the label less the mean of the others'
    bias: float
    of: str = "class"
    method: str = RELEVANCE
    adds_up: bool = True
    towards_same: int = 0

    @classmethod
    def against_others(cls, label: str, *, labels: Sequence[str], weight: Local, bias: Local) -> ClassScore:
        """Return the score of one of the labels of a linear class head, weight (L, D) and bias (L,).

        Raises ExplainError where the head does not know the label.
        """
        if label not in labels:
            raise ExplainError(f"The class head knows no label “{label}”.")
        own = np.array([each == label for each in labels])
        shares = np.where(own, 1.0, -1.0 / max(len(labels) - 1, 1))
        return cls(label, shares @ weight.astype(np.float64), float(shares @ bias.astype(np.float64)))

    def values(self, pairs: Pairs) -> Floats:
        """Return the score of every matched image, (k,); 0 where it is undefined."""
        return np.where(maps.comparable(pairs), pairs.matched_unit @ self.weight + self.bias, 0.0)

    def query_values(self, pairs: Pairs) -> Floats:
        """Return the score of the query, as often as there are pairs, (k,); 0 where it is undefined."""
        return np.where(maps.comparable(pairs), pairs.query_unit @ self.weight + self.bias, 0.0)

    def gradients(self, pairs: Pairs) -> Gradients:
        """Return the gradients of either image's own score over constant lengths."""
        return maps.class_gradients(pairs, self.weight.astype(np.float64))

    def baseline(self, threshold: float | None) -> float:
        """Return 0: the label as much as the others on the average."""
        return 0.0

    def usual(self, cosine: float | None) -> None:
        """Return None: it is no cosine."""


COSINE = Cosine()
DISTANCE = Distance()
SCORES: dict[str, Score] = {score.of: score for score in (COSINE, DISTANCE)}


def cosine_at(distance: Floats | float) -> Floats:
    """Return the cosine 1 - d^2 / 2 of two unit embeddings at that distance."""
    return np.asarray(1.0 - distance**2 / 2)
