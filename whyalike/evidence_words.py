"""The figures of a trial of evidence as rows of words and numbers, for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Sequence

from explain.evidence_trial import EvidenceMeasures
from explain.faithfulness import MapOnSide
from explain.flips import Flips
from explain.named_maps import RELEVANCE
from siamese.measured import Measure
from whyalike.evaluation_words import UNKNOWN, percent

Row = tuple[str, ...]
MAPS = ("map", "on the", "deletion", "behind by", "insertion", "behind by", "ROAD", "behind by")
NORMALISED = ("map", "on the", "deletion", "behind by", "insertion", "behind by")
RANKS = ("hidden in the", "map", "median rank before", "after", "mean after", "still the nearest")
SANITY = ("weights re-drawn", "on the query", "on the match")
RANKS_TITLE = "Ranks of the matches"
SANITY_TITLE = "Spearman with random weights"
SIDE_WORDS = {"query": "query", "matched": "match"}

EXPLAINED = (
    "Deletion: the mean cosine while the hottest regions are blurred, less is better. Insertion: while they "
    "come back first, more is better. ROAD: (coldest imputed − hottest imputed) / 2, more is better. Behind "
    "by: how far the map is behind the relevance map on the same pairs, with its 95 % interval."
)


def map_rows(measures: EvidenceMeasures) -> list[Row]:
    """Deletion, insertion and ROAD of every map on either picture."""
    return _map_rows(measures, ("deletion", "insertion", "road"))


def normalised_rows(measures: EvidenceMeasures) -> list[Row]:
    """Deletion and insertion with every pair's whole picture at 1 and its blurred one at 0."""
    return _map_rows(measures, ("deletion_normalised", "insertion_normalised"))


def flips_title(measures: EvidenceMeasures) -> str:
    """What their table tells."""
    return f"Verdicts that flip when {100 * measures.hidden_share:.0f} % are hidden"


def flip_headings(measures: EvidenceMeasures) -> Row:
    """Those of the table of verdicts, one column for each map."""
    return ("verdict", "hidden in", "fill", "pairs", *(each.name for each in measures.maps), "× by chance")


def flip_rows(measures: EvidenceMeasures) -> list[Row]:
    """Which share of the verdicts flips, by kind of verdict, picture and fill, for every map."""
    return [_flips(each) for each in measures.flips]


def rank_rows(measures: EvidenceMeasures) -> list[Row]:
    """What becomes of the match's rank."""
    return [
        (
            SIDE_WORDS[each.side],
            each.name,
            f"{each.median_before:g}",
            f"{each.median:g}",
            _number(each.mean, "{:.1f}"),
            UNKNOWN if each.first.value is None else percent(each.first.value),
        )
        for each in measures.ranks
    ]


def sanity_rows(measures: EvidenceMeasures) -> list[Row]:
    """How alike the maps are to those of random weights."""
    return [(each.redrawn, _spread(each.query), _spread(each.matched)) for each in measures.sanity]


def summary(measures: EvidenceMeasures) -> str:
    """What was measured, in one sentence."""
    return (
        f"{measures.pairs} pairs of a query and its best match, {measures.different_pairs} of a query and "
        f"the nearest of another label; {measures.steps} steps, seed {measures.seed}."
    )


def _map_rows(measures: EvidenceMeasures, figures: Sequence[str]) -> list[Row]:
    return [
        (each.name, words, *_figures(each.name, getattr(each, side), figures))
        for side, words in SIDE_WORDS.items()
        for each in measures.maps
    ]


def _figures(name: str, on_side: MapOnSide, figures: Sequence[str]) -> Row:
    cells: list[str] = []
    for figure in figures:
        lead = getattr(on_side.lead, figure)
        cells += [_number(getattr(on_side.value, figure)), UNKNOWN if name == RELEVANCE else _spread(lead)]
    return tuple(cells)


def _flips(flips: Flips) -> Row:
    rates = (UNKNOWN if each.rate.value is None else percent(each.rate.value) for each in flips.maps)
    kind = (flips.verdict, SIDE_WORDS[flips.side], flips.fill, str(flips.pairs))
    return (*kind, *rates, _spread(flips.times, "{:.1f}"))


def _number(measure: Measure, form: str = "{:.3f}") -> str:
    return UNKNOWN if measure.value is None else form.format(measure.value)


def _spread(measure: Measure, form: str = "{:.3f}") -> str:
    """A value and its interval, or why there is none."""
    if measure.value is None:
        return measure.reason or UNKNOWN
    if measure.interval is None:
        return form.format(measure.value)
    low, high = (form.format(end) for end in measure.interval)
    return f"{form.format(measure.value)} ({low} to {high})"
