"""One picture hidden step by step in the order of its maps, and what is left of the cosine each time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explain.errors import MapMismatch
from explain.fills import Fill, blur, noisy_linear
from explain.hiding import Order
from explain.maps import Floats
from explain.sights import Embeds, Pixels, Sight, embed_variants

STEPS = 15
"""Of a curve, in equal shares of the seen area; a multiple of FIFTHS, so that 20 % is one of them."""
FIFTHS = 5
HIDDEN_SHARE = 0.2
"""Of the seen area: what is hidden to see whether a verdict flips, or a match loses its rank."""
ROAD_SHARES = (0.2, 0.4, 0.6, 0.8)
"""What is imputed (Rong et al. 2022, the percentiles of their combined score)."""


@dataclass(frozen=True, slots=True, eq=False)
class Perturbed:
    """What one map does to one picture: cosines with the other image, which stays whole.

    deletion (steps + 1,): the hottest pixels are blurred, from none to all; insertion (steps + 1,): all are
    blurred, and the hottest come back first.  most_relevant, least_relevant (4,): so much of the hottest, or
    of the coldest, is imputed.  blurred, imputed (D,): the embedding with the hottest HIDDEN_SHARE hidden by
    either fill.
    """

    deletion: Floats
    insertion: Floats
    most_relevant: Floats
    least_relevant: Floats
    blurred: NDArray[np.float32]
    imputed: NDArray[np.float32]

    @property
    def road(self) -> float:
        """(LeRF - MoRF) / 2 over all shares; greater is better."""
        return float((self.least_relevant - self.most_relevant).mean() / 2)


@dataclass(frozen=True, slots=True, eq=False)
class Hiding:
    """A sight, its fills, and the encoder that looks at it again."""

    encoder: Embeds
    sight: Sight
    blurred: Fill
    imputed: Fill

    @classmethod
    def of(cls, encoder: Embeds, sight: Sight, *, seed: int = 0) -> Hiding:
        """The sight with its fills; `seed` draws the noise of the imputation."""
        filled = blur(sight.pixels, sight.seen), noisy_linear(sight.pixels, sight.seen, seed=seed)
        return cls(encoder, sight, *filled)

    def embed(self, variants: list[Pixels]) -> NDArray[np.float32]:
        """The embeddings of the sight with other pixels, (n, D); zero where there is none."""
        return embed_variants(self.encoder, self.sight, variants)

    def blank(self) -> NDArray[np.float32]:
        """The embedding (D,) with everything blurred."""
        return np.asarray(self.embed([self.blurred(self.sight.seen)])[0])


def perturb(
    hiding: Hiding, partner: NDArray[np.float32], maps: Mapping[str, Floats], *, steps: int = STEPS
) -> dict[str, Perturbed]:
    """Hide the picture in the order of each of the maps (h, w), hot where it resembles its partner.

    partner: the unit embedding (D,) of the other image. Raises MapMismatch where 20 % is none of the steps.
    """
    if steps < FIFTHS or steps % FIFTHS:
        raise MapMismatch(f"The steps of a curve are a multiple of {FIFTHS}, but they are {steps}.")
    ends = float(hiding.sight.embedding @ partner), float(hiding.blank() @ partner)
    return {name: _perturbed(hiding, partner, grid, steps, ends) for name, grid in maps.items()}


def hide_in_order(
    hiding: Hiding, order: Order, steps: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return embeddings (steps - 1, D): more and more of the hottest is blurred, or is alone not blurred."""
    between = [step / steps for step in range(1, steps)]
    deleted = hiding.embed([hiding.blurred(order.hottest(share)) for share in between])
    inserted = hiding.embed([hiding.blurred(order.coldest(1 - share)) for share in between])
    return deleted, inserted


def without_coldest(hiding: Hiding, maps: Mapping[str, Floats]) -> dict[str, NDArray[np.float32]]:
    """Return the embeddings (D,) with the coldest HIDDEN_SHARE of each map blurred."""
    orders = [Order.of(grid, hiding.sight.seen) for grid in maps.values()]
    left = hiding.embed([hiding.blurred(order.coldest(HIDDEN_SHARE)) for order in orders])
    return dict(zip(maps, left, strict=True))


def area(curve: Floats) -> float:
    """Return the area under a curve over shares 0 to 1 in equal steps, by trapezia (Petsiuk et al. 2018)."""
    return float((curve[:-1] + curve[1:]).mean() / 2)


def _perturbed(
    hiding: Hiding, partner: NDArray[np.float32], grid: Floats, steps: int, ends: tuple[float, float]
) -> Perturbed:
    order = Order.of(grid, hiding.sight.seen)
    whole, blank = ends
    deleted, inserted = hide_in_order(hiding, order, steps)
    hot = hiding.embed([hiding.imputed(order.hottest(share)) for share in ROAD_SHARES])
    cold = hiding.embed([hiding.imputed(order.coldest(share)) for share in ROAD_SHARES])
    return Perturbed(
        deletion=_curve(whole, deleted @ partner, blank),
        insertion=_curve(blank, inserted @ partner, whole),
        most_relevant=(hot @ partner).astype(np.float64),
        least_relevant=(cold @ partner).astype(np.float64),
        blurred=deleted[round(HIDDEN_SHARE * steps) - 1],
        imputed=hot[ROAD_SHARES.index(HIDDEN_SHARE)],
    )


def _curve(first: float, between: NDArray[np.floating], last: float) -> Floats:
    return np.concatenate([[first], between, [last]]).astype(np.float64)
