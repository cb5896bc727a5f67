"""The section of an evaluation page about evidence: whether hiding what is hot moves the score."""

from __future__ import annotations

from typing import Literal

from explain.evaluation_page import Block, Plot, Section, Table
from explain.evidence_trial import EvidenceMeasures
from explain.faithfulness import SideCurves
from explain.perturbation_plot import perturbation_plot
from whyalike import evidence_words as words

Kind = Literal["deletion", "insertion"]
AXES: dict[Kind, str] = {"deletion": "share hidden, hottest first", "insertion": "share shown, hottest first"}


def evidence_section(measures: EvidenceMeasures) -> Section:
    """The curves on either picture, and the tables."""
    plots: list[Block] = [_plot(measures, side, kind) for side in words.SIDE_WORDS for kind in AXES]
    tables = (
        Table("Maps tested by hiding", words.MAPS, tuple(words.map_rows(measures))),
        Table(
            "The same, each pair from 0 (blurred) to 1 (whole)",
            words.NORMALISED,
            tuple(words.normalised_rows(measures)),
            folded=True,
        ),
        Table(
            words.flips_title(measures),
            words.flip_headings(measures),
            tuple(words.flip_rows(measures)),
            folded=True,
        ),
        Table(words.RANKS_TITLE, words.RANKS, tuple(words.rank_rows(measures)), folded=True),
        Table(words.SANITY_TITLE, words.SANITY, tuple(words.sanity_rows(measures)), folded=True),
    )
    return Section("Evidence", (words.summary(measures), words.EXPLAINED), (*plots, *tables))


def _plot(measures: EvidenceMeasures, side: str, kind: Kind) -> Plot:
    on = words.SIDE_WORDS[side]
    curves = {each.name: _curve(getattr(each, side).curves, kind) for each in measures.maps}
    better = "lower" if kind == "deletion" else "higher"
    caption = f"{kind.capitalize()} on the {on}: {better} is better; the other picture stays whole."
    drawn = perturbation_plot(curves, shares=AXES[kind], name=f"{kind}-{side}", alt=caption)
    return Plot(drawn, caption)


def _curve(curves: SideCurves, kind: Kind) -> tuple[float, ...]:
    return curves.deletion if kind == "deletion" else curves.insertion
