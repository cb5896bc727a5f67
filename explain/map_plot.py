"""The 2-d map of an evaluation page: where the embeddings lie, told apart by colour, shape and number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.markers import MarkerStyle
from numpy.typing import NDArray

from explain.inline_svg import INK, in_style, inline_svg

# Okabe and Ito's colours but black and yellow, which vanish on dark and on pale paper
# (jfly.uni-koeln.de/color); with the shapes, seventy-seven pairs that differ.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#8C6BB1")
SHAPES = ("o", "s", "^", "D", "v", "P", "X", "*", "p", "<", ">")
SIZE = (7.2, 6.2)  # inches
FEW = 20  # labels whose numbers may be large
PAINTED = 1200  # points from which they are painted as pixels: a page stays small


@dataclass(frozen=True, slots=True, eq=False)
class MappedLabel:
    """Where the images of one label lie on the map, (n, 2) and (m, 2), and its centre (2,)."""

    label: str
    queries: NDArray[np.floating]
    references: NDArray[np.floating]
    centre: NDArray[np.floating]


@in_style
def map_plot(labels: Sequence[MappedLabel], *, name: str, alt: str) -> str:
    """Draw queries strong and references pale, and each label's number, from 1, at its centre."""
    figure = Figure(figsize=SIZE, layout="constrained")
    axes = figure.subplots()
    axes.set_axis_off()
    painted = sum(len(each.queries) + len(each.references) for each in labels) > PAINTED
    for at, each in enumerate(labels):
        colour, shape = look(at)
        for points, alpha, size in ((each.references, 0.3, 7), (each.queries, 0.95, 16)):
            style: dict[str, Any] = {
                "s": size,
                "marker": shape,
                "color": colour,
                "alpha": alpha,
                "linewidths": 0,
            }
            axes.scatter(points[:, 0], points[:, 1], rasterized=painted, **style)
    size = 13 if len(labels) <= FEW else 9
    for number, each in enumerate(labels, start=1):
        centre = (float(each.centre[0]), float(each.centre[1]))
        axes.annotate(str(number), centre, ha="center", va="center", size=size, weight="bold", color=INK)
    # The page draws a halo around what is so marked; matplotlib would make paths of the numbers.
    return inline_svg(figure, name=name, alt=alt).replace("<text ", '<text class="centre" ')


def look(position: int) -> tuple[str, str]:
    """Return the colour and the shape of the label at this position."""
    return COLOURS[position % len(COLOURS)], SHAPES[(position // len(COLOURS)) % len(SHAPES)]


def swatch(position: int) -> str:
    """Return the mark of the label at this position as a small SVG, for the list of labels."""
    colour, shape = look(position)
    marker = MarkerStyle(shape)
    polygons = marker.get_path().transformed(marker.get_transform()).to_polygons()
    outline = np.asarray(polygons[0], np.float64)
    points = " ".join(f"{x:.2f},{-y:.2f}" for x, y in outline.tolist())
    drawn = f'<polygon points="{points}" fill="{colour}"/>'
    return f'<svg class="swatch" viewBox="-0.75 -0.75 1.5 1.5" aria-hidden="true">{drawn}</svg>'
