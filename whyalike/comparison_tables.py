"""Comparisons as people read them: tables on stdout."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from whyalike.console import out
from whyalike.hiding_tables import print_hiding
from whyalike.tables import (
    UNKNOWN,
    print_facts,
    print_reasons,
    print_rows,
    print_written,
    share,
    standing_of,
    stands_on,
)

if TYPE_CHECKING:
    from search_api.schemas.search import CompareResponse
    from whyalike.sampled_pairs import PairCounts, SampledPair, SampledPairs

RIGHT = {True: "right", False: "wrong", None: UNKNOWN}


def print_comparison(answers: Sequence[CompareResponse], written: Mapping[str, Path | None]) -> None:
    """A query with one picture, or with several, the nearest first; then what was written."""
    first = answers[0]
    if len(answers) == 1:
        print_facts(_facts(first))
        print_hiding(first)
    else:
        score = () if first.scorer == "distance" else ("score",)
        placed = ("closer than",) if standing_of(first) else ()
        headings = ("rank", *score, "distance", "similarity", *placed, "probability", "verdict", "picture")
        print_rows(headings, [_cells(answer) for answer in answers])
        print_reasons(answers)
        out().print(Text(ordered_by(first), "dim"))
    out().print(Text(stands_on(first.calibration, first.threshold), "dim"))
    for what, path in written.items():
        print_written(path, what)


def print_sampled_pairs(sampled: SampledPairs, grid: Path | None) -> None:
    """Random pairs, which verdicts are right, and how many of them."""
    headings = ("distance", "similarity", "probability", "verdict", "which is", "first", "second")
    print_rows(headings, [_pair_cells(pair, sampled.folder) for pair in sampled.pairs])
    facts = (
        ("pairs", f"{_kinds(sampled.counts)}, drawn with seed {sampled.seed}"),
        ("verdicts", how_many_right(sampled.counts)),
        ("encoder", sampled.encoder.name),
    )
    print_facts(facts)
    out().print(Text(stands_on(sampled.calibration, sampled.threshold), "dim"))
    print_written(grid, "grid")


def ordered_by(answer: CompareResponse) -> str:
    """How several pictures are ordered, and by whom."""
    if answer.scorer == "distance":
        return f"nearest first, by {answer.encoder.name}"
    return f"likeliest to be same first, by the pair head of {answer.encoder.name}"


def how_many_right(counts: PairCounts) -> str:
    """How many of the verdicts are right, without a full stop."""
    if not counts.checked:
        return f"{counts.pairs} pairs, and nothing to check them by"
    return f"{counts.right} of {counts.checked} verdicts are right"


def _kinds(counts: PairCounts) -> str:
    if not counts.same + counts.different:
        return f"{counts.pairs} of unknown kind"
    return f"{counts.same} same and {counts.different} different"


def _facts(answer: CompareResponse) -> tuple[tuple[str, str], ...]:
    return (
        ("distance", f"{answer.distance:.4f}"),
        ("similarity", f"{answer.similarity:.4f}"),
        ("cosine", f"{answer.cosine:.4f}"),
        *_placed(answer),
        ("probability", share(answer.probability)),
        ("verdict", answer.verdict or UNKNOWN),
        ("reason", answer.reason.text),
        *(("but", warning.text) for warning in answer.reason.warnings),
        ("encoder", answer.encoder.name),
    )


def _placed(answer: CompareResponse) -> list[tuple[str, str]]:
    standing = standing_of(answer)
    return [("closer than", str(standing))] if standing else []


def _cells(answer: CompareResponse) -> tuple[str, ...]:
    return (
        str(answer.rank),
        *([] if answer.scorer == "distance" else [f"{answer.score:.3f}"]),
        f"{answer.distance:.3f}",
        f"{answer.similarity:.3f}",
        *(value for _, value in _placed(answer)),
        share(answer.probability),
        answer.verdict or UNKNOWN,
        answer.uri or UNKNOWN,
    )


def _pair_cells(pair: SampledPair, folder: str) -> tuple[str, ...]:
    return (
        f"{pair.distance:.3f}",
        f"{pair.similarity:.3f}",
        share(pair.probability),
        pair.verdict or UNKNOWN,
        RIGHT[pair.right],
        os.path.relpath(pair.first.uri, folder),
        os.path.relpath(pair.second.uri, folder),
    )
