"""Hypothesis strategies for local embeddings: any grids, any numbers, and the awkward cases among them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from explain import maps

Local = NDArray[np.float32]
NUMBERS = st.floats(-100, 100, width=32)


@st.composite
def pairs(draw: Callable[..., object]) -> tuple[Local, Local]:
    """Two images of the same D and grids of their own; either may be zero, constant, padded, or the other."""
    dimension = draw(st.integers(1, 6))
    query, matched = draw(_local(dimension)), draw(_local(dimension))
    return (query, query.copy()) if draw(st.integers(0, 9)) == 0 else (query, matched)


@st.composite
def _local(draw: Callable[..., object], dimension: int) -> Local:
    grid = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    local = draw(npst.arrays(np.float32, (*grid, dimension), elements=NUMBERS))
    kind = draw(st.sampled_from(["any", "any", "any", "zero", "constant", "padded"]))
    if kind == "zero":
        return np.zeros_like(local)
    if kind == "constant":
        return np.broadcast_to(local[:1, :1], local.shape).copy()
    if kind == "padded":
        local[draw(st.integers(0, grid[0])) :] = 0
    return local


def unit_embedding(local: Local) -> NDArray[np.float64]:
    """The embedding by its definition; zero where the mean is zero."""
    mean = local.reshape(-1, local.shape[-1]).astype(np.float64).mean(axis=0)
    length = np.linalg.norm(mean)
    return mean / length if length > 0 else mean


def has_embedding(local: Local) -> bool:
    """Whether the mean is more than the rounding of float32 cells that cancel."""
    mean = local.reshape(-1, local.shape[-1]).astype(np.float64).mean(axis=0)
    return bool(np.linalg.norm(mean) > maps.CANCELLED * np.abs(local).max())
