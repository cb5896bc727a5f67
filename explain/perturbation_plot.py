"""The plot of deletion or insertion: what is left of the cosine while a picture is hidden or revealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from explain.inline_svg import ACCENT, DIFFERENT, INK, MUTED, SAME, in_style, inline_svg
from explain.plots import LEGEND_SIZE, PERCENT, SQUARE

LOOKS = ((ACCENT, "-"), (SAME, "--"), (DIFFERENT, "-."), (INK, ":"), (MUTED, "-"), (MUTED, "--"))
"""Colour and line of the maps in their order; a seventh begins anew."""


@in_style
def perturbation_plot(curves: Mapping[str, Sequence[float]], *, shares: str, name: str, alt: str) -> str:
    """Draw mean cosines over equal shares from 0 to 1, one curve for each map; `shares` names the axis."""
    figure = Figure(figsize=SQUARE, layout="constrained")
    axes = figure.subplots()
    for at, (label, curve) in enumerate(curves.items()):
        colour, line = LOOKS[at % len(LOOKS)]
        width = 2.2 if at == 0 else 1.4
        axes.plot(
            np.linspace(0, 1, len(curve)), curve, color=colour, linestyle=line, linewidth=width, label=label
        )
    axes.set_xlim(0, 1)
    axes.set_xlabel(shares)
    axes.set_ylabel("mean cosine")
    axes.xaxis.set_major_formatter(PERCENT)
    axes.legend(loc="best", frameon=False, fontsize=LEGEND_SIZE)
    return inline_svg(figure, name=name, alt=alt)
