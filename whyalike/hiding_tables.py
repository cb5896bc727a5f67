"""What hiding regions showed of one match, on the terminal and as a picture."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from whyalike.console import out, printable
from whyalike.tables import UNKNOWN, print_rows, share

if TYPE_CHECKING:
    from search_api.schemas.hiding import FaithfulnessSchema, LeftSchema, MapFaithfulnessSchema
    from search_api.schemas.search import CompareResponse

WHAT_IF_FILE = "what-if.png"
DATA_PREFIX = "data:image/png;base64,"
FAITHFULNESS = (
    "Deletion: the explained number, turned so that more is for the verdict, while the hottest regions are "
    "blurred, less is better. Insertion: while they come back first, more is better."
)


def print_hiding(answer: CompareResponse) -> None:
    """What was asked for of it; nothing where nothing was."""
    if answer.what_if:
        headings = ("what is hidden in the query", "area", "probability", "similarity", "verdict")
        rows = [_row("everything for the verdict", answer.what_if.hidden)]
        if answer.what_if.smallest:
            rows.append(_row("the least that flips it", answer.what_if.smallest))
        print_rows(headings, rows)
        out().print(Text(printable(answer.what_if.text)))
    if answer.faithfulness:
        _print_faithfulness(answer.faithfulness)


def write_what_if(folder: Path, answer: CompareResponse) -> Path | None:
    """Writes the query with the region hidden, as the encoder saw it, if that was asked for; or None."""
    picture = answer.what_if and answer.what_if.picture
    if not picture:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / WHAT_IF_FILE
    path.write_bytes(base64.b64decode(picture.removeprefix(DATA_PREFIX)))
    return path


def without_picture(answer: CompareResponse) -> CompareResponse:
    """The answer as it is printed: what was written as a file is not printed as text."""
    if answer.what_if is None:
        return answer
    what_if = answer.what_if.model_copy(update={"picture": None})
    return answer.model_copy(update={"what_if": what_if})


def _row(what: str, left: LeftSchema) -> tuple[str, ...]:
    from search_api.evidence.hiding_words import area

    numbers = (area(left), share(left.probability), f"{left.similarity:.3f}")
    return (what, *numbers, left.verdict or UNKNOWN)


def _print_faithfulness(measured: FaithfulnessSchema) -> None:
    headings = ("map on the", "hidden by", "deletion", "insertion", "orders of chance beaten")
    rows = [*_map_rows("query", measured.query), *_map_rows("match", measured.matched)]
    print_rows(headings, rows)  # its warnings are among those of the reason
    out().print(Text(FAITHFULNESS, "dim"))


def _map_rows(side: str, each: MapFaithfulnessSchema) -> list[tuple[str, ...]]:
    beaten = f"{100 * each.beats_random:.0f} %"
    return [
        (side, "the map", f"{each.deletion:.3f}", f"{each.insertion:.3f}", beaten),
        (side, "the middle", f"{each.centre_deletion:.3f}", f"{each.centre_insertion:.3f}", ""),
        (side, "chance", f"{each.random_deletion:.3f}", f"{each.random_insertion:.3f}", ""),
    ]
