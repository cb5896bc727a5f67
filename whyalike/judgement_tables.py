"""Judgements as people read them."""

from collections.abc import Sequence

from gallery.judgements import Judgement
from whyalike.console import out
from whyalike.tables import UNKNOWN, print_rows

SHORT = 12
"""Digits of a checksum that people compare."""


def print_judgements(judgements: Sequence[Judgement]) -> None:
    """One judgement a line."""
    if not judgements:
        out().print("nobody has judged a pair")
        return
    print_rows(("number", "says", "query", "matched", "made", "revoked", "author"), map(_cells, judgements))


def _cells(judgement: Judgement) -> tuple[str, ...]:
    revoked = f"{judgement.revoked_at:%Y-%m-%d %H:%M}" if judgement.revoked_at else UNKNOWN
    return (
        str(judgement.judgement_id),
        "right" if judgement.right else "wrong",
        judgement.query[:SHORT],
        judgement.matched[:SHORT],
        f"{judgement.made_at:%Y-%m-%d %H:%M}",
        revoked,
        judgement.author or UNKNOWN,
    )
