"""What would be left of a verdict if what speaks for it could not be seen: the counterfactual, tested."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explain.evidence import Side
from explain.heatmap import at_pixels
from explain.hiding import Order
from explain.maps import Floats
from explain.perturbing import Hiding
from explain.sights import Mask, Pixels

RIPPLE = 0.01
"""Of the peak: what cubic painting adds diagonally beside a lone hot cell is half as much."""

Flips = Callable[[NDArray[np.float32]], NDArray[np.bool_]]
"""Whether the verdict is another one, for embeddings (n, D) in place of the picture's own."""

SCANNED = 16
"""Equal shares of the factual region that are tried at once: whether verdicts turn need not be monotonic."""
HALVINGS = 4
"""Bisections between the last share that does not flip and the first that does: a 256th of the region."""


@dataclass(frozen=True, slots=True, eq=False)
class Hidden:
    """A picture with its hottest part blurred.

    area: the share of the seen area that is hidden; mask (S, S), pixels (3, S, S), embedding (D,), which is
    zero where nothing is left to embed.
    """

    area: float
    mask: Mask
    pixels: Pixels
    embedding: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class WhatIf:
    """The picture with everything factual hidden, and with the smallest part whose loss flips the verdict.

    `smallest` is None where not even the whole of it does, or where there is no verdict.
    """

    everything: Hidden
    smallest: Hidden | None


def signed(side: Side) -> Floats:
    """Return one image's map (h, w), hot where it supports the verdict."""
    return side.factual.astype(np.float64) - side.counterfactual


def what_if(hiding: Hiding, side: Side, flips: Flips | None) -> WhatIf:
    """Hide the factual region of one picture, hottest first.

    The region is where the painted map is positive, and no mere ripple of the painting. `flips` is None
    where there is no verdict.
    """
    grid, seen = signed(side), hiding.sight.seen
    order = Order.of(grid, seen)
    painted = at_pixels(grid, side=len(seen))[seen]
    region = float((painted > RIPPLE * max(painted.max(), 0.0)).mean())
    if flips is None or not region:
        return WhatIf(_hidden(hiding, order, [region])[0], None)
    tried = _hidden(hiding, order, [region * step / SCANNED for step in range(1, SCANNED + 1)])
    turned = np.flatnonzero(flips(np.stack([each.embedding for each in tried])))
    if not len(turned):
        return WhatIf(tried[-1], None)
    first = int(turned[0])
    return WhatIf(tried[-1], _bisected(hiding, order, flips, tried[first], region * first / SCANNED))


def _hidden(hiding: Hiding, order: Order, shares: list[float]) -> list[Hidden]:
    masks = [order.hottest(share) for share in shares]
    pixels = [hiding.blurred(mask) for mask in masks]
    left = hiding.embed(pixels)
    return [Hidden(*each) for each in zip(shares, masks, pixels, left, strict=True)]


def _bisected(hiding: Hiding, order: Order, flips: Flips, found: Hidden, stays: float) -> Hidden:
    """The smallest share that was seen to flip the verdict, between one that does and one that does not."""
    for _ in range(HALVINGS):
        tried = _hidden(hiding, order, [(stays + found.area) / 2])[0]
        if flips(tried.embedding[None])[0]:
            found = tried
        else:
            stays = tried.area
    return found
