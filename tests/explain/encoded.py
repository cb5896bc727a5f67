"""Hypothesis strategies for random encoders, pairs of images that they have seen, and random heads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from explain.scores import COSINE, DISTANCE, ClassScore, PairHeadLogit, Score

Floats = NDArray[np.float32]
SEEDS = st.integers(0, 2**32 - 1)
KINDS = ("any", "any", "any", "constant", "zero")


@dataclass(frozen=True)
class Linear:
    """The last layer of an encoder: weight (D, C) and bias (D,), float32."""

    weight: Floats
    bias: Floats


@dataclass(frozen=True)
class Image:
    """What the body makes of an image: its feature map (h, w, C), and which cells (h, w) are no padding."""

    features: Floats
    seen: NDArray[np.bool_]

    @property
    def weights(self) -> Floats:
        """(h, w, 1): N / N_seen where seen, else 0, as `siamese.network.cell_weights`."""
        return (self.seen / self.seen.mean())[..., None].astype(np.float32)

    def local_embeddings(self, linear: Linear) -> Floats:
        """(h, w, D) float32."""
        return (self.features @ linear.weight.T + linear.bias) * self.weights


@dataclass(frozen=True)
class Encoded:
    """Two images, each on a grid of its own, by one encoder."""

    linear: Linear
    query: Image
    matched: Image

    @property
    def local_embeddings(self) -> tuple[Floats, Floats]:
        return self.query.local_embeddings(self.linear), self.matched.local_embeddings(self.linear)

    @property
    def swapped(self) -> Encoded:
        return replace(self, query=self.matched, matched=self.query)


@st.composite
def encoded(draw: Callable[..., object]) -> Encoded:
    """Any linear layer with a bias, any two grids; images may be padded, constant, zero, or the same."""
    rng = np.random.default_rng(draw(SEEDS))
    channels, dimension = draw(st.integers(1, 12)), draw(st.integers(1, 32))
    spread = draw(st.sampled_from([0.0, 0.1, 1.0, 10.0]))  # of the bias; 0 is a layer without one
    linear = Linear(_normal(rng, dimension, channels), spread * _normal(rng, dimension))
    query, matched = (draw(_images(rng, channels)) for _ in range(2))
    return Encoded(linear, query, query if draw(st.integers(0, 7)) == 0 else matched)


@st.composite
def _images(draw: Callable[..., object], rng: np.random.Generator, channels: int) -> Image:
    height, width = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    features = np.maximum(_normal(rng, height, width, channels), 0)  # as after a ReLU
    kind = draw(st.sampled_from(KINDS))
    if kind == "constant":
        features[:] = features[0, 0]
    if kind == "zero":
        features[:] = 0
    seen = np.ones((height, width), bool)
    seen[draw(st.integers(1, height)) :] = False
    return Image(features, seen)


@st.composite
def scores(draw: Callable[..., object], dimension: int) -> Score:
    """The cosine, the distance, a random pair head or the score of a label of a random class head."""
    rng = np.random.default_rng(draw(SEEDS))
    difference, product = _normal(rng, 2, dimension)
    bias = float(rng.normal())
    heads = [PairHeadLogit(difference, product, bias), ClassScore("tulip", product, bias)]
    return draw(st.sampled_from([COSINE, DISTANCE, *heads]))


@st.composite
def explained(draw: Callable[..., object]) -> tuple[Encoded, Score]:
    """A pair by a random encoder, and a number of it."""
    pair = draw(encoded())
    return pair, draw(scores(len(pair.linear.bias)))


def _normal(rng: np.random.Generator, *shape: int) -> Floats:
    return rng.normal(size=shape).astype(np.float32)
