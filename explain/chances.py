"""How a probability is told to people."""

from __future__ import annotations

LEAST, MOST = 0.001, 0.999
"""An estimate fitted on some thousand pairs tells nothing beyond these, and nothing is certain."""


def percentage(probability: float) -> str:
    """Return it with one decimal, such as "97.3 %"; beyond LEAST and MOST only that it is beyond them."""
    if probability < LEAST:
        return f"< {100 * LEAST:.1f} %"
    if probability > MOST:
        return f"> {100 * MOST:.1f} %"
    return f"{100 * probability:.1f} %"
