from __future__ import annotations

import re

import numpy as np
import pytest

from explain.inline_svg import VARIABLES
from explain.map_plot import COLOURS, SHAPES, MappedLabel, look, map_plot, swatch
from explain.plots import confusion_plot, distance_plot, errors_plot, reliability_plot, roc_plot

RATES = np.linspace(0, 1, 500)


def mapped(labels: int) -> list[MappedLabel]:
    generator = np.random.default_rng(0)
    return [
        MappedLabel(
            f"label {n}", generator.random((4, 2)) + n, generator.random((20, 2)) + n, np.full(2, n + 0.5)
        )
        for n in range(labels)
    ]


CURVES = {"distance": (RATES, RATES**0.2), "pair head": (RATES, RATES**0.1)}
DRAWN = {
    "roc": roc_plot(CURVES, strict=None, name="roc", alt="r"),
    "strict": roc_plot(CURVES, strict=0.01, name="strict", alt="s"),
    "distances": distance_plot(RATES, 1 + RATES, threshold=0.9, name="distances", alt="d"),
    "errors": errors_plot(RATES, RATES, 1 - RATES, marks={"fitted, 0.4": 0.4}, name="errors", alt="e"),
    "reliability": reliability_plot(RATES[:15], RATES[:15], np.arange(15), name="reliability", alt="c"),
    "confusion": confusion_plot(["a", "<b>&$x$"], np.array([[3, 1], [0, 2]]), name="confusion", alt='"<c>"'),
    "map": map_plot(mapped(3), name="map", alt="m"),
}  # fmt: skip


@pytest.mark.parametrize("name", DRAWN)
def test_a_plot_is_an_svg_that_needs_nothing_from_anywhere(name: str) -> None:
    svg = DRAWN[name]
    assert svg.startswith('<svg role="img" aria-label="') and svg.endswith("</svg>")
    assert "http" not in svg and "<metadata" not in svg and 'width="' not in svg[: svg.index(">")]


@pytest.mark.parametrize("name", DRAWN)
def test_every_colour_of_a_plot_is_the_pages_own(name: str) -> None:
    svg = DRAWN[name]
    assert not set(VARIABLES) & set(re.findall(r"#[0-9a-f]{6}", svg)), (
        "nothing that only stands for a colour is left"
    )
    assert "var(--ink)" in svg
    assert "#000000" not in svg, "black vanishes at night"


@pytest.mark.parametrize("name", DRAWN)
def test_what_a_plot_refers_to_by_id_is_in_it_once_and_under_its_own_name(name: str) -> None:
    svg = DRAWN[name]
    ids = re.findall(r'\bid="([^"]+)"', svg)
    referred = {*re.findall(r"url\(#([^)]+)\)", svg), *re.findall(r'href="#([^"]+)"', svg)}
    assert len(ids) == len(set(ids)) and referred <= set(ids)
    assert all(each.startswith(f"{name}-") for each in ids)


def test_a_label_is_text_whatever_is_in_it() -> None:
    assert "<b>" not in DRAWN["confusion"] and "&lt;b&gt;&amp;$x$" in DRAWN["confusion"]
    assert 'aria-label="&quot;&lt;c&gt;&quot;"' in DRAWN["confusion"]


def test_eighty_one_labels_are_told_apart_by_number_and_colour_and_shape() -> None:
    svg = map_plot(mapped(81), name="many", alt="m")
    numbers = set(re.findall(r">(\d+)</text>", svg))
    assert {str(n) for n in range(1, 82)} <= numbers
    assert len({look(n) for n in range(len(COLOURS) * len(SHAPES))}) == 77
    assert len({swatch(n) for n in range(77)}) == 77 and "<polygon" in swatch(80)


def test_a_large_map_is_painted_and_stays_small() -> None:
    crowd = np.random.default_rng(0).random((3000, 2))
    svg = map_plot([MappedLabel("a", crowd[:500], crowd[500:], np.zeros(2))], name="crowd", alt="m")
    assert "data:image/png;base64," in svg and len(svg) < 600_000


def test_equal_numbers_give_equal_bytes() -> None:
    again = errors_plot(RATES, RATES, 1 - RATES, marks={"fitted, 0.4": 0.4}, name="errors", alt="e")
    assert again == DRAWN["errors"]
