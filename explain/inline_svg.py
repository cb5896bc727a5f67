"""A matplotlib figure as SVG inside a page, in the page's own colours: light by day and dark by night."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import matplotlib as mpl
from matplotlib.figure import Figure

Given = ParamSpec("Given")
Made = TypeVar("Made")

# What stands for a colour until the page says what it is: matplotlib knows no CSS variables.
INK, MUTED, RULE, PAPER = "#010101", "#010102", "#010103", "#010104"
SAME, DIFFERENT, ACCENT = "#010105", "#010106", "#010107"
VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    RULE: "--rule",
    PAPER: "--paper",
    SAME: "--same",
    DIFFERENT: "--different",
    ACCENT: "--accent",
}
STYLE: dict[Any, Any] = {
    "text.parse_math": False,  # a label may have dollars in it
    "svg.fonttype": "none",  # words stay words: readable at any size, found by a search, read aloud
    "svg.hashsalt": "whyalike",
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.labelsize": 9,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": RULE,
    "hatch.color": DIFFERENT,
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.8,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
}
RASTER_DPI = 200  # of what is painted rather than drawn
_ID = re.compile(r'\b(id="|url\(#|href="#)')
_SIZE = re.compile(r'(<svg [^>]*?) width="[^"]*"')
_HEIGHT = re.compile(r'(<svg [^>]*?) height="[^"]*"')
_NAMESPACES = re.compile(r'\sxmlns(:\w+)?="[^"]*"')
_METADATA = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)


def in_style(plot: Callable[Given, Made]) -> Callable[Given, Made]:
    """Run a function that draws in the style of the page; matplotlib looks at it whenever it makes a part."""

    @wraps(plot)
    def styled(*args: Given.args, **kwargs: Given.kwargs) -> Made:
        with mpl.rc_context(STYLE):
            return plot(*args, **kwargs)

    return styled


def inline_svg(figure: Figure, *, name: str, alt: str) -> str:
    """Return a figure, drawn `in_style`, as an `<svg>` that scales with the page and needs nothing else.

    `name` keeps its ids apart from those of other figures; `alt` is what is read aloud in its place.
    """
    file = io.StringIO()
    figure.savefig(file, format="svg", transparent=True, dpi=RASTER_DPI, metadata={"Date": None})
    svg = file.getvalue()
    svg = _METADATA.sub("", svg[svg.index("<svg") :])
    svg = _NAMESPACES.sub("", _HEIGHT.sub(r"\1", _SIZE.sub(r"\1", svg, count=1), count=1))
    svg = _ID.sub(rf"\g<1>{name}-", svg).replace("xlink:href", "href")
    for colour, variable in VARIABLES.items():
        svg = svg.replace(colour, f"var({variable})")
    described = f'<svg role="img" aria-label="{html.escape(alt)}" '
    return svg.replace("<svg ", described, 1).strip()
