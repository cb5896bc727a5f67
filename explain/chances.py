"""How a probability, or a place among others, is told to people."""

from __future__ import annotations

import math

LEAST, MOST = 0.001, 0.999
"""An estimate fitted on some thousand pairs tells nothing beyond these, and nothing is certain."""


def percentage(probability: float) -> str:
    """Return it with one decimal, such as "97.3 %"; beyond LEAST and MOST only that it is beyond them."""
    if probability < LEAST:
        return f"< {100 * LEAST:.1f} %"
    if probability > MOST:
        return f"> {100 * MOST:.1f} %"
    return f"{100 * probability:.1f} %"


FINE = 0.99
"""From here on a decimal says something."""
ROUNDING = 1e-6
"""Of a share that is a round number but for that of floats."""


def percentage_below(share: float) -> str:
    """Return the share of others that one is before, such as "87 %" or "99.4 %", rounded down."""
    if share < FINE:
        return f"{math.floor(100 * share + ROUNDING)} %"
    return f"{math.floor(1000 * min(share, MOST) + ROUNDING) / 10:.1f} %"
