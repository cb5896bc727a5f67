"""The plots of an evaluation page: plain numbers in, an inline SVG out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from explain.inline_svg import ACCENT, DIFFERENT, INK, MUTED, PAPER, RULE, SAME, in_style, inline_svg

Numbers = NDArray[np.floating]

SQUARE = (4.4, 4.1)  # inches, as wide as a phone shows at the size of its text
WIDE = (4.4, 3.5)
STYLES = ("-", "--", ":")
LEAST_RATE = 1e-4  # left end of a logarithmic axis of rates
HISTOGRAM_BINS = 60
CURVE_POINTS = 400
PERCENT = FuncFormatter(lambda rate, _: f"{100 * rate:g} %")
STRONG = 0.4  # share from which a cell is so strong that its number is written in paper
LEGEND_SIZE = 8.5
LONGEST = 22  # letters of a label on an axis


@in_style
def roc_plot(
    curves: Mapping[str, tuple[Numbers, Numbers]], *, strict: float | None, name: str, alt: str
) -> str:
    """Draw true matches over false matches, for each of the named curves (false rates, true rates).

    With `strict` the axis of false matches is logarithmic, and that rate is marked.
    """
    figure, axes = _canvas(SQUARE)
    for style, colour, (label, (false, true)) in zip(
        STYLES, (ACCENT, SAME, MUTED), curves.items(), strict=False
    ):
        kept = _thinned(false, true)
        axes.plot(false[kept], true[kept], linestyle=style, color=colour, label=label, drawstyle="default")
    axes.set_ylim(-0.01, 1.01)
    axes.set_ylabel("same pairs accepted")
    axes.set_xlabel("different pairs accepted (false match rate)")
    if strict is None:
        axes.plot([0, 1], [0, 1], color=RULE, linewidth=1)
        axes.set_xlim(-0.01, 1.01)
        axes.set_aspect("equal")
        axes.xaxis.set_major_formatter(PERCENT)
    else:
        axes.set_xscale("log")
        axes.set_xlim(LEAST_RATE, 1)
        axes.axvline(strict, color=INK, linewidth=1, linestyle=":")
        axes.annotate(f" {100 * strict:g} %", (strict, 0.02), fontsize=8.5)
        axes.xaxis.set_major_formatter(PERCENT)
    axes.yaxis.set_major_formatter(PERCENT)
    if len(curves) > 1:
        _legend(axes)
    return inline_svg(figure, name=name, alt=alt)


@in_style
def distance_plot(same: Numbers, different: Numbers, *, threshold: float | None, name: str, alt: str) -> str:
    """Draw how the distances of both kinds of pairs lie, and the threshold between them."""
    figure, axes = _canvas(WIDE)
    edges = np.linspace(
        0, max(2.0 if not len(same) else float(max(same.max(), different.max())), 1e-6), HISTOGRAM_BINS
    )
    for values, colour, label, hatch in (
        (same, SAME, "same", None),
        (different, DIFFERENT, "different", "////"),
    ):
        heights = np.histogram(values, edges)[0] / max(len(values), 1)
        axes.stairs(heights, edges, fill=True, color=colour, alpha=0.28, hatch=hatch)
        axes.stairs(heights, edges, color=colour, linewidth=1.6, label=label)
    if threshold is not None:
        axes.axvline(threshold, color=INK, linewidth=1.2, linestyle="--", label=f"threshold {threshold:.3f}")
    axes.set_xlabel("distance")
    axes.set_ylabel("share of the pairs of its kind")
    axes.set_ylim(bottom=0)
    axes.set_xlim(left=0)
    axes.yaxis.set_major_formatter(PERCENT)
    _legend_above(axes)
    return inline_svg(figure, name=name, alt=alt)


@in_style
def errors_plot(
    thresholds: Numbers, false: Numbers, missed: Numbers, *, marks: Mapping[str, float], name: str, alt: str
) -> str:
    """Draw both error rates, (t,) each, over the threshold, and mark the thresholds that are used."""
    figure, axes = _canvas(WIDE)
    for values, colour, style, label in (
        (false, DIFFERENT, "-", "different accepted"),
        (missed, SAME, "--", "same missed"),
    ):
        kept = _thinned(thresholds, values)
        axes.plot(thresholds[kept], values[kept], color=colour, linestyle=style, label=label)
    for style, (label, at) in zip((":", "-."), marks.items(), strict=False):
        axes.axvline(at, color=INK, linewidth=1.1, linestyle=style, label=label)
    axes.set_xlabel("threshold (distance)")
    axes.set_ylabel("error rate")
    axes.set_xlim(left=0)
    axes.set_ylim(-0.01, 1.01)
    axes.yaxis.set_major_formatter(PERCENT)
    _legend_above(axes)
    return inline_svg(figure, name=name, alt=alt)


@in_style
def reliability_plot(told: Numbers, true: Numbers, counts: Numbers, *, name: str, alt: str) -> str:
    """Draw the share of same pairs over the probability told, (bins,) each, and how many pairs there are."""
    figure = Figure(figsize=SQUARE, layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3.2, 1))
    upper.plot([0, 1], [0, 1], color=MUTED, linewidth=1)
    filled = counts > 0
    width = 1 / len(counts)
    centres = (np.arange(len(counts)) + 0.5) * width
    errors = np.sqrt(np.maximum(true * (1 - true), 1e-9) / np.maximum(counts, 1))
    upper.errorbar(
        told[filled], true[filled], 1.96 * errors[filled], fmt="o", markersize=4.5, color=ACCENT, elinewidth=1
    )
    upper.plot(told[filled], true[filled], color=ACCENT, linewidth=1.2)
    upper.set_ylim(-0.03, 1.03)
    upper.set_ylabel("share that is same")
    lower.bar(centres, counts, width=0.85 * width, color=ACCENT, alpha=0.55)
    lower.set_yscale("symlog", linthresh=10)
    lower.set_ylabel("pairs")
    lower.set_xlabel("probability told")
    lower.set_xlim(-0.01, 1.01)
    for axis in (upper.yaxis, lower.xaxis):
        axis.set_major_formatter(PERCENT)
    lower.yaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{count:,.0f}".replace(",", " ")))
    return inline_svg(figure, name=name, alt=alt)


@in_style
def confusion_plot(labels: Sequence[str], counts: NDArray[np.integer], *, name: str, alt: str) -> str:
    """Draw how often the nearest match of a label's queries (rows) has each label (columns), (L, L)."""
    side = max(1.6 + 0.36 * len(labels), SQUARE[0])
    figure, axes = _canvas((side, side * 0.94))
    axes.grid(visible=False)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    rows, columns = np.nonzero(counts)
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        colour = ACCENT if row == column else DIFFERENT
        axes.add_patch(_cell(column, row, colour=colour, alpha=0.12 + 0.88 * shares[row, column] ** 0.6))
        ink = PAPER if shares[row, column] > STRONG else INK
        axes.annotate(str(counts[row, column]), (column, row), ha="center", va="center", size=9, color=ink)
    names = [_short(each) for each in labels]
    axes.set_xticks(range(len(labels)), names, rotation=90, size=9)
    axes.set_yticks(range(len(labels)), names, size=9)
    axes.tick_params(length=0)
    axes.set_xlim(-0.5, len(labels) - 0.5)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_xlabel("label of the nearest match")
    axes.set_ylabel("label of the query")
    return inline_svg(figure, name=name, alt=alt)


def _canvas(size: tuple[float, float]) -> tuple[Figure, Axes]:
    figure = Figure(figsize=size, layout="constrained")
    return figure, figure.subplots()


def _cell(x: int, y: int, *, colour: str, alpha: float) -> Rectangle:
    return Rectangle((x - 0.48, y - 0.48), 0.96, 0.96, facecolor=colour, alpha=alpha, linewidth=0)


def _short(label: str) -> str:
    return label if len(label) <= LONGEST else f"{label[: LONGEST - 1]}…"


def _thinned(x: Numbers, y: Numbers) -> NDArray[np.int64]:
    """The points of a curve that a screen can show apart: evenly along its length, on either axis."""
    logged = np.log10(np.maximum(x, LEAST_RATE / 10))
    length = np.concatenate(
        [[0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)) + np.abs(np.diff(logged)))]
    )
    wanted = np.linspace(0, length[-1], CURVE_POINTS)
    return np.unique(np.searchsorted(length, wanted).clip(0, len(x) - 1))


def _legend_above(axes: Axes) -> None:
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        borderaxespad=0.2,
        ncols=2,
        columnspacing=1.4,
        frameon=False,
        fontsize=LEGEND_SIZE,
    )


def _legend(axes: Axes) -> None:
    axes.legend(loc="lower right", frameon=False, fontsize=LEGEND_SIZE)
