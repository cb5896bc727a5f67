"""The evaluation page: one self-contained HTML file of figures, plots, tables and pictures.

It asks nothing of the network, so it can be sent to somebody, kept beside a paper, and opened years later.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files

from PIL import Image

STYLE_FILE = "evaluation_page.css"
JPEG_QUALITY = 82


@dataclass(frozen=True, slots=True)
class Stat:
    """A headline figure: its name, its value as it is read, its interval, what it means."""

    name: str
    value: str
    interval: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Plot:
    """An inline SVG (with its own text alternative), what it shows, and its legend if that is HTML."""

    svg: str
    caption: str
    legend: tuple[tuple[str, str], ...] = ()
    """(swatch as SVG, words) of each entry."""
    wide: bool = False
    dense: bool = False
    """Whether it is scrolled rather than shrunk on a narrow screen."""


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers as they are read; the first cell of a row names it. A long one is `folded` at first."""

    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture, its text alternative, and its caption."""

    image: Image.Image
    alt: str
    caption: str


@dataclass(frozen=True, slots=True)
class PairCard:
    """One judged pair: what is wrong with it, its numbers, and its pictures, two in a row."""

    title: str
    facts: tuple[tuple[str, str], ...]
    pictures: tuple[Picture, ...]


@dataclass(frozen=True, slots=True)
class Stats:
    """Headline figures beside each other."""

    stats: tuple[Stat, ...]


@dataclass(frozen=True, slots=True)
class PairCards:
    """Judged pairs beside each other, under a heading."""

    heading: str
    cards: tuple[PairCard, ...]


Block = Stats | Plot | Table | PairCards


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, a few sentences, and what there is to see."""

    title: str
    sentences: tuple[str, ...]
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class EvaluationPage:
    """Everything on the page; all text is text, and is escaped where it is written."""

    title: str
    subtitle: str
    protocol: str
    sections: tuple[Section, ...]
    footer: str
    kind: str = "Evaluation"


def evaluation_page(page: EvaluationPage) -> str:
    """Return the page as one HTML document."""
    style = (files("explain") / STYLE_FILE).read_text(encoding="utf-8")
    sections = "\n".join(_section(number, each) for number, each in enumerate(page.sections))
    links = "".join(
        f'<li><a href="#s{number}">{escape(each.title)}</a></li>' for number, each in enumerate(page.sections)
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(page.title)}</title>
<style>{style}</style>
</head>
<body>
<header>
<p class="kind">{escape(page.kind)}</p>
<h1>{escape(page.title)}</h1>
<p class="subtitle">{escape(page.subtitle)}</p>
<p class="protocol">{escape(page.protocol)}</p>
<nav aria-label="Sections"><ul>{links}</ul></nav>
</header>
<main>
{sections}
</main>
<footer><p>{escape(page.footer)}</p></footer>
</body>
</html>
"""


def _section(number: int, section: Section) -> str:
    sentences = "".join(f"<p>{escape(each)}</p>" for each in section.sentences)
    plots = [each for each in section.blocks if isinstance(each, Plot) and not each.wide]
    drawn = "".join(_plot(each) for each in plots)
    grid = f'<div class="plots">{drawn}</div>' if plots else ""
    others = "".join(_block(each) for each in section.blocks if each not in plots)
    head = f'<h2 id="h{number}">{escape(section.title)}</h2>'
    return f'<section id="s{number}" aria-labelledby="h{number}">{head}{sentences}{grid}{others}</section>'


def _block(block: Block) -> str:
    if isinstance(block, Stats):
        return f'<dl class="stats">{"".join(_stat(each) for each in block.stats)}</dl>'
    if isinstance(block, Plot):
        return _plot(block)
    if isinstance(block, Table):
        return _table(block)
    cards = "".join(_card(each) for each in block.cards)
    return f'<h3>{escape(block.heading)}</h3><div class="cards">{cards}</div>'


def _stat(stat: Stat) -> str:
    return (
        f"<div><dt>{escape(stat.name)}</dt><dd><strong>{escape(stat.value)}</strong>"
        f'<span class="interval">{escape(stat.interval)}</span>'
        f'<span class="meaning">{escape(stat.meaning)}</span></dd></div>'
    )


def _plot(plot: Plot) -> str:
    entries = "".join(f"<li>{swatch}<span>{escape(words)}</span></li>" for swatch, words in plot.legend)
    legend = f'<ol class="legend">{entries}</ol>' if entries else ""
    kinds = [name for name in ("wide", "dense") if getattr(plot, name)]
    kind = f' class="{" ".join(kinds)}"' if kinds else ""
    return (
        f'<figure{kind}><div class="scroll">{plot.svg}</div>'
        f"<figcaption>{escape(plot.caption)}</figcaption>{legend}</figure>"
    )


def _table(table: Table) -> str:
    headings = "".join(f'<th scope="col">{escape(each)}</th>' for each in table.headings)
    rows = "".join(_row(each) for each in table.rows)
    body = f"<thead><tr>{headings}</tr></thead><tbody>{rows}</tbody>"
    caption = escape(table.caption)
    if table.folded:
        shown = f'<div class="scroll"><table><caption class="hidden">{caption}</caption>{body}</table></div>'
        return f"<details><summary>{caption}</summary>{shown}</details>"
    return f'<div class="scroll"><table><caption>{caption}</caption>{body}</table></div>'


def _row(cells: Sequence[str]) -> str:
    name, *others = (escape(each) for each in cells)
    return f'<tr><th scope="row">{name}</th>{"".join(f"<td>{each}</td>" for each in others)}</tr>'


def _card(card: PairCard) -> str:
    facts = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in card.facts
    )
    pictures = "".join(_picture(each) for each in card.pictures)
    head = f"<h4>{escape(card.title)}</h4>"
    return f'<article>{head}<div class="pictures">{pictures}</div><dl>{facts}</dl></article>'


def _picture(picture: Picture) -> str:
    file = io.BytesIO()
    picture.image.convert("RGB").save(file, "JPEG", quality=JPEG_QUALITY, optimize=True)
    data = base64.b64encode(file.getvalue()).decode("ascii")
    size = f'width="{picture.image.width}" height="{picture.image.height}"'
    return (
        f'<figure><img src="data:image/jpeg;base64,{data}" {size} alt="{escape(picture.alt)}">'
        f"<figcaption>{escape(picture.caption)}</figcaption></figure>"
    )
