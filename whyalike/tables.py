"""Results as people and programs read them: tables and JSON on stdout."""

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import TypeAdapter
from rich import box
from rich.table import Table
from rich.text import Text

from explain.chances import percentage
from explain.reason_warnings import FAR
from explain.standings import Standing
from search_api.schemas.encoder import CalibrationSchema
from search_api.schemas.galleries import PublishedGallery
from search_api.schemas.search import MatchSchema, SearchResponse
from whyalike.console import out, printable

UNKNOWN = "–"
SAID = "near-uniform"
"""The doubt that the sentence of a reason tells itself."""
WIDE = 100
"""Characters of a terminal: in fewer, a table says how likely a match is, and not what it is closer than."""
LEAST_WIDTH = 24
"""Of the column that gives way, which says what a row is about."""
FITTED_ON = {"pair": ", half of them same", "shown": ", as a search shows them", None: ""}


def print_json(answer: object) -> None:
    """One line of JSON from a model or a dataclass; ASCII only, so that any terminal and pipe takes it."""
    content = TypeAdapter(type(answer)).dump_python(answer, mode="json")
    sys.stdout.write(json.dumps(content, allow_nan=False) + "\n")


def print_matches(answer: SearchResponse, written: Path | None) -> None:
    """The matches of a query, nearest first, and what their verdicts stand on."""
    scored = answer.scorer != "distance"
    judged = any(match.verdict is not None for match in answer.matches)
    placed = any(match.closer_than is not None for match in answer.matches)
    placed = placed and (out().width >= WIDE or not judged)
    headings = (
        "rank",
        "label",
        *(["score"] if scored else []),
        "similarity",
        *(["closer than"] if placed else []),
        *(["probability", "verdict"] if judged else []),
        "picture",
    )
    if answer.matches:
        if any(doubt.code == FAR.code for match in answer.matches for doubt in match.reason.warnings):
            out().print(Text(FAR.text, "bold"))
        rows = [_match_cells(each, scored=scored, placed=placed, judged=judged) for each in answer.matches]
        print_rows(headings, rows)
        print_reasons(answer.matches)
    else:
        out().print("no image of the gallery is left by what this search asks for")
    print_facts(_beside(answer.matches))
    if answer.left_out:
        out().print(Text(f"{answer.left_out} left out because the pair was judged wrong", "dim"))
    if answer.next_cursor:
        total = f" of {answer.total}" if answer.total is not None else ""
        out().print(Text(f"more{total} follow: --cursor {answer.next_cursor}", "dim"), soft_wrap=True)
    if answer.prefilter:
        chance = share(answer.prefilter.probability)
        narrowed = f"only {answer.prefilter.label}, the label that the class head gives the query ({chance})"
        out().print(Text(printable(narrowed), "dim"))
    out().print(
        Text(f"gallery {answer.gallery}, build {answer.build}, encoder {answer.encoder.name}", "dim"),
        Text(stands_on(answer.calibration, answer.threshold), "dim"),
        sep="\n",
    )
    print_written(written, "evidence")


def _beside(matches: Sequence[MatchSchema]) -> list[tuple[str, str]]:
    """What of a group or a content is not in the table, and what each of several pictures adds."""
    told = []
    for match in matches:
        if match.group:
            others = [each.uri for each in match.group.members]
            told.append(
                (str(match.rank), f"{match.group.name}: {match.group.images} images" + _listed(others))
            )
        if match.copies and match.copies > 1:
            places = [each.uri for each in match.places or ()]
            told.append((str(match.rank), f"{match.copies} images show it" + _listed(places)))
        if match.evidence.queries:
            added = ", ".join(f"{each.added:+.3f}" for each in match.evidence.queries)
            told.append((str(match.rank), f"cosine {match.cosine:.3f} = {added}, by picture asked with"))
    return told


def _listed(uris: Sequence[str]) -> str:
    return f"; also {', '.join(uris)}" if uris else ""


def print_reasons(matches: Sequence[MatchSchema]) -> None:
    """Why each match was found, in words, by its rank."""
    print_facts((str(match.rank), reason_words(match)) for match in matches)


def reason_words(match: MatchSchema) -> str:
    """The reason of a match, and after it what there is to doubt."""
    doubts = [each.text for each in match.reason.warnings if each.code not in {SAID, FAR.code}]
    return " ".join([match.reason.text, *doubts])


def print_galleries(galleries: Sequence[PublishedGallery]) -> None:
    """What can be searched."""
    rows = [
        (
            each.name,
            str(each.build),
            str(each.images),
            str(each.contents),
            each.encoder.name,
            f"{each.published_at:%Y-%m-%d %H:%M}",
        )
        for each in galleries
    ]
    print_rows(("gallery", "build", "images", "contents", "encoder", "published"), rows)


def print_facts(facts: Iterable[tuple[str, str]]) -> None:
    """Names and values, one a line."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts:
        table.add_row(Text(name, "dim"), Text(printable(value)))
    out().print(table)


def print_rows(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table whose last column gives way where the terminal is narrow."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings[:-1]:
        table.add_column(heading, no_wrap=True)
    table.add_column(headings[-1], overflow="fold", min_width=LEAST_WIDTH)
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    out().print(table)


def stands_on(calibration: CalibrationSchema, threshold: float | None) -> str:
    """What probability and verdict stand on, or why there are none."""
    if calibration.reason is not None:
        return f"no probability and no verdict: {calibration.reason}"
    pairs = f"fitted on {calibration.pairs} labelled pairs{FITTED_ON[calibration.fitted_on]}"
    if threshold is None:
        return f"same from a probability of 50 % by the pair head, {pairs}"
    return f"same up to distance {threshold:.3f}, {pairs}"


def _match_cells(match: MatchSchema, *, scored: bool, placed: bool, judged: bool) -> tuple[str, ...]:
    return (
        str(match.rank),
        match.label or UNKNOWN,
        *([f"{match.score:.3f}"] if scored else []),
        f"{match.similarity:.3f}",
        *([str(standing_of(match) or UNKNOWN)] if placed else []),
        *([share(match.probability), match.verdict or UNKNOWN] if judged else []),
        match.uri or UNKNOWN,
    )


def standing_of(match: MatchSchema) -> Standing | None:
    """Where a match stands among the pairs of its gallery, where that is known."""
    return None if match.closer_than is None else Standing(match.closer_than, match.closer_than_nearest)


def share(value: float | None) -> str:
    """A probability as a percentage."""
    return UNKNOWN if value is None else percentage(value)


def print_written(path: Path | None, what: str) -> None:
    """Where something was written, if it was."""
    if path is not None:
        out().print(Text(printable(f"{what}: {path}")), soft_wrap=True)


KILO = 1000


def in_bytes(count: int) -> str:
    """A number of bytes with a unit that people read."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < KILO:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= KILO
    return f"{value:.1f} TB"
