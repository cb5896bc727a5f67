"""A trial of evidence on the terminal."""

from __future__ import annotations

from rich.text import Text

from explain.evidence_trial import EvidenceMeasures
from whyalike import evidence_words as words
from whyalike.console import out
from whyalike.tables import print_rows


def print_evidence_measures(measures: EvidenceMeasures) -> None:
    """The maps against each other, the verdicts that flip, the ranks, and the sanity check."""
    out().print(Text(f"\nEvidence: {words.summary(measures)}"))
    print_rows(words.MAPS, words.map_rows(measures))
    out().print(Text(words.EXPLAINED, "dim"))
    out().print(Text(f"\n{words.flips_title(measures)}"))
    print_rows(words.flip_headings(measures), words.flip_rows(measures))
    out().print(Text(words.RANKS_TITLE))
    print_rows(words.RANKS, words.rank_rows(measures))
    out().print(Text(words.SANITY_TITLE))
    print_rows(words.SANITY, words.sanity_rows(measures))
