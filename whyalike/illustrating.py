"""A page with pictures of evidence: for a few queries the best match, a doubtful one, another label's."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from explain.figure import pair_figure
from gallery.sources.scanning import ScannedFile, scan
from search_api.evidence.accounts import Extras
from search_api.queries.subjects import Upload
from search_api.schemas.search import MatchSchema, SearchResponse
from search_api.search import Searcher
from siamese.progress import Progress
from whyalike.errors import UsageError
from whyalike.evidence import pair_correspondences, pairs_of
from whyalike.pictures import upload
from whyalike.settings import Settings
from whyalike.small_pictures import write_small
from whyalike.tables import share

NEAREST = 10
"""Matches among which the least sure one is looked for."""
EVENS = 0.5
WIDTH = 720
"""Pixels of a picture on the page: its words can still be read, and it is a small file."""
PAGE = "README.md"
"""The name under which code hosts show a page with its folder."""
HEADING = "# Evidence in pictures"
"""How every page begins, and no other is replaced by one."""
DRAWN = re.compile(r"\]\(([0-9]+-[a-z-]+\.png)\)")
"""A picture that a page shows."""
BEST, DOUBTFUL, OTHER = (
    "The best match",
    f"The least sure of the {NEAREST} nearest",
    "The nearest of another label",
)
SLUGS = {BEST: "best", DOUBTFUL: "doubtful", OTHER: "other"}
EXTRAS = Extras(correspondences=True)


@dataclass(frozen=True, slots=True)
class Illustrated:
    """A query, what it shows where a folder says so, and one answer for each of its matches on the page."""

    query: Upload
    name: str
    label: str | None
    matches: tuple[tuple[str, MatchSchema], ...]
    answer: SearchResponse


def drawn_queries(folder: Path, *, count: int, seed: int) -> list[ScannedFile]:
    """A handful of the pictures below a folder, each of another label as long as there are more.

    Raises UsageError where there is no picture.
    """
    files = list(scan([folder])) if folder.exists() else []
    if not files:
        raise UsageError(f"there is no picture below {folder}; name a folder, or run whyalike demo")
    random.Random(seed).shuffle(files)
    rounds: Counter[str] = Counter()
    order: list[tuple[int, int]] = []
    for place, file in enumerate(files):  # the first of every label, then the second of every label
        rounds[file.label] += 1
        order.append((rounds[file.label], place))
    return [files[place] for _, place in sorted(order)[:count]]


def illustrated(
    file: ScannedFile, searcher: Searcher, gallery: str | None, settings: Settings
) -> Illustrated:
    """Ask with one picture: its best match, the least sure one, and the nearest of another label."""
    query = upload(file.path, limits=settings.limits)
    answer = searcher.search(query, gallery=gallery, k=NEAREST + 1, extras=EXTRAS)
    with searcher.builds.lend(answer.gallery) as (build, _):
        labels = set(build.labels())
    label = file.label if file.label in labels else None
    matches = [match for match in answer.matches if match.distance > 0][:NEAREST]
    found = [(BEST, match) for match in matches[:1]]
    found += [(DOUBTFUL, match) for match in sorted(matches[1:], key=_sureness)[:1]]
    if label and len(labels) > 1:
        others = searcher.search(query, gallery=answer.gallery, k=1, labels=labels - {label}, extras=EXTRAS)
        found += [(OTHER, match) for match in others.matches]
    told = {match.image_id: (role, match) for role, match in found}  # one that is both: by the later role
    return Illustrated(query, file.path.name, label, tuple(told.values()), answer)


def refuse_foreign_page(out: Path) -> None:
    """Raises UsageError where the folder holds a page of that name that is not one of ours."""
    page = out / PAGE
    if page.exists() and not _text(page).startswith(HEADING):
        raise UsageError(f"{page} is another page and would be lost; name another folder with --out")


def write_page(
    out: Path, searcher: Searcher, queries: Sequence[Illustrated], *, command: str, progress: Progress
) -> Path:
    """Write the pictures of every match and the page that shows them; returns the page.

    An earlier page is replaced, with its pictures; raises UsageError where that page is not ours.
    """
    refuse_foreign_page(out)
    out.mkdir(parents=True, exist_ok=True)
    page = out / PAGE
    for old in DRAWN.findall(_text(page)) if page.exists() else ():
        (out / old).unlink(missing_ok=True)
    lines = [*_head(queries, command)]
    for number, asked in enumerate(progress.track(queries, description="drawing"), start=1):
        lines += _section(out, number, searcher, asked)
    page.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return page


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8", errors="replace")


def _sureness(match: MatchSchema) -> float:
    """How far from even its probability is; where there is none, the farthest counts as least sure."""
    return -match.distance if match.probability is None else abs(match.probability - EVENS)


def _head(queries: Sequence[Illustrated], command: str) -> Iterator[str]:
    answer = queries[0].answer
    yield f"{HEADING}: {_plain(answer.gallery)}"
    yield ""
    yield (
        f"Made by `{command}` from the gallery {_plain(answer.gallery)} and its encoder "
        f"{_plain(answer.encoder.name)}. Orange is what speaks for the verdict, blue what speaks against "
        "it; the hatched margin was not looked at. A line joins two spots that are each other's most alike."
    )


def _section(out: Path, number: int, searcher: Searcher, asked: Illustrated) -> Iterator[str]:
    shows = f" ({_plain(asked.label)})" if asked.label else ""
    yield from ("", f"## Query {number}: {_plain(asked.name)}{shows}")
    roles = [role for role, _ in asked.matches]
    answer = asked.answer.model_copy(update={"matches": [match for _, match in asked.matches]})
    for role, (match, pair) in zip(roles, pairs_of(searcher, asked.query, answer), strict=True):
        name = f"{number:02}-{SLUGS[role]}"
        figure = pair_figure(pair.query, pair.match, heading=role)
        write_small(figure, out / f"{name}.png", width=WIDTH)
        lines = pair_correspondences(pair.query, pair.match, match)
        write_small(lines, out / f"{name}-spots.png", width=WIDTH)
        yield from (
            "",
            f"### {role}",
            "",
            _numbers(match, asked.label),
            "",
            f"> {_plain(pair.match.reason)}",
            "",
        )
        yield from (
            f"![Evidence on both pictures]({name}.png)",
            "",
            f"![Which spot answers which]({name}-spots.png)",
        )


def _numbers(match: MatchSchema, label: str | None) -> str:
    shown = f"{_plain(match.label)}, " if match.label else ""
    chance = "" if match.probability is None else f", probability {share(match.probability)}"
    wrong = (
        label is not None and match.label is not None and (match.verdict == "same") != (label == match.label)
    )
    verdict = f"**{match.verdict}**{', which is wrong' if wrong else ''}" if match.verdict else "no verdict"
    return f"{shown}similarity {match.similarity:.3f}{chance}: {verdict}."


def _plain(text: str | None) -> str:
    """Text that Markdown leaves as it is."""
    return "".join(
        f"\\{letter}" if letter in r"\`*_{}[]<>#|!" else letter for letter in " ".join((text or "").split())
    )
