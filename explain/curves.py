"""How a training went, as one picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from io import BytesIO

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from explain.errors import NothingToDraw

Epoch = Mapping[str, float | None]

PANEL = (4.6, 3.4)  # inches
DOTS_PER_INCH = 150
# Okabe and Ito's colours, which stay apart in every common colour blindness (jfly.uni-koeln.de/color).
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
NAMES = {"recall_at_1": "R@1", "map_at_r": "MAP@R", "pair_auc": "pair AUC"}
TITLES = {"loss": "Loss", "metric": "Held-out measures", "learning_rate": "Learning rate"}


def training_curves(history: Sequence[Epoch]) -> bytes:
    """Return a PNG of every number in the history against the epoch.

    One mapping per epoch: names that hold "loss" share a panel, so do those that hold "learning_rate", and
    all others are measures.  A number that an epoch lacks, or has as None, leaves a gap; "epoch", where
    given, is the abscissa, and counts from 1 otherwise.  Raises NothingToDraw for an empty history.
    """
    names = list(dict.fromkeys(name for epoch in history for name in epoch if name != "epoch"))
    kinds = [kind for kind in TITLES if any(_kind(name) == kind for name in names)]
    if not kinds:
        raise NothingToDraw("A training without a finished epoch has no curves.")
    size = PANEL[0] * len(kinds), PANEL[1]
    figure = Figure(figsize=size, dpi=DOTS_PER_INCH, layout="constrained")
    for kind, axes in zip(kinds, figure.subplots(1, len(kinds), squeeze=False)[0], strict=True):
        _draw(axes, history, [name for name in names if _kind(name) == kind], title=TITLES[kind])
        if kind == "learning_rate":
            axes.set_yscale("log")
    png = BytesIO()
    figure.savefig(
        png, format="png", metadata={"Software": None}
    )  # no version inside: equal histories, equal bytes
    return png.getvalue()


def _kind(name: str) -> str:
    return next((kind for kind in ("loss", "learning_rate") if kind in name), "metric")


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _draw(axes: Axes, history: Sequence[Epoch], names: Sequence[str], *, title: str) -> None:
    epochs = [_number(epoch.get("epoch", number)) for number, epoch in enumerate(history, start=1)]
    for name, colour in zip(names, COLOURS * len(names), strict=False):
        values = [_number(epoch.get(name)) for epoch in history]
        label = NAMES.get(name, name.replace("_", " "))
        axes.plot(epochs, values, color=colour, label=label, linewidth=1.6, marker="o", markersize=3)
    axes.set_title(title, loc="left", fontsize=11)
    axes.set_xlabel("epoch", fontsize=9)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.tick_params(labelsize=8)
    axes.grid(color="#E2E5E9", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    if len(names) > 1 or names[0] in NAMES:  # a measure alone is not told by the title
        axes.legend(frameon=False, fontsize=8)
