"""What an answer tells of one pair: its evidence, the reason in words, and what was asked for besides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from explain.correspondences import Contributions, contributions
from explain.evidence import Evidence, Side
from explain.reason_warnings import FAR
from explain.reasons import Reason, Seen, reasons
from explain.standings import Standing
from search_api.evidence.explaining import Judging, explained, verdicts_explained
from search_api.queries.blending import added_by_each, lead, sides_of_each
from search_api.queries.subjects import QueryImage, Subject
from search_api.schemas.base import ComputedFrom
from search_api.schemas.evidence import OverlaysSchema
from search_api.scoring import Scored


@dataclass(frozen=True, slots=True)
class HidingWanted:
    """What is tested by hiding regions: nothing, unless said. `pictures` draws what if."""

    what_if: bool = False
    faithfulness: bool = False
    pictures: bool = False

    def __bool__(self) -> bool:
        return self.what_if or self.faithfulness


NOTHING_HIDDEN = HidingWanted()


@dataclass(frozen=True, slots=True)
class Extras:
    """What an answer may hold besides evidence and reason, if it is asked for; `hiding` of comparisons."""

    overlays: bool = False
    correspondences: bool = False
    contributions: bool = False
    hiding: HidingWanted = NOTHING_HIDDEN


NO_EXTRAS = Extras()


@dataclass(frozen=True, slots=True, eq=False)
class QuerySide:
    """What of a match lies on one of the pictures that were asked with together.

    `added` is what this picture adds to the cosine of the match.
    """

    image: QueryImage
    side: Side
    added: float


@dataclass(frozen=True, slots=True, eq=False)
class Account:
    """Why one pair is near or far: `seen` are the query and the matched image as the encoder saw them.

    `standing` is where the pair stands among those of the gallery; None where nobody measured that.
    `computed_from` says of both what their maps are made of. `overlays` and `contributions`
    are there where extras need them. Of several pictures that were asked with together `queries` has a side
    each, and the evidence that of the one which stands for all.
    """

    evidence: Evidence
    reason: Reason
    standing: Standing | None
    seen: tuple[Seen, Seen]
    computed_from: tuple[ComputedFrom, ComputedFrom]
    extras: Extras = NO_EXTRAS
    overlays: OverlaysSchema | None = None
    contributions: Contributions | None = None
    queries: tuple[QuerySide, ...] = ()


def accounts(
    query: Subject,
    matched: Sequence[Subject],
    scored: Sequence[Scored],
    judging: Judging,
    extras: Extras = NO_EXTRAS,
) -> list[Account]:
    """Why each of the matched images is near or far, by what is stored of it; nothing is drawn yet.

    Raises NoSuchHead.
    """
    evidence = explained(query, matched, scored, judging)
    parted = [_parted(query, *each) for each in zip(matched, evidence, strict=True)]
    if query.several:
        leading = lead(query.several)
        evidence = [
            replace(why, query=parts[leading].side) for why, parts in zip(evidence, parted, strict=True)
        ]
    asked, others = _seen(query, judging), [_seen(each, judging) for each in matched]
    standings = [judging.standing(each) for each in scored]
    told = reasons(evidence, asked, others, verdicts_explained(scored, judging), standings)
    computed_from = [(query.computed_from, each.computed_from) for each in matched]
    found = [
        Account(why, words, standing, (asked, other), source, extras, queries=parts)
        for why, words, standing, other, source, parts in zip(
            evidence, told, standings, others, computed_from, parted, strict=True
        )
    ]
    if not (extras.correspondences or extras.contributions):
        return found
    return [
        replace(each, contributions=_contributions(query, other))
        for each, other in zip(found, matched, strict=True)
    ]


def doubted(told: Sequence[Account], ranks: Sequence[int], scored: Sequence[Scored]) -> list[Account]:
    """The same, with a doubt of the best match where it stands far in a gallery that nothing else judges by.

    Best is the first that is not the query itself, which is at distance 0.
    """
    best = next((place for place, each in enumerate(scored) if each.distance > 0), None)
    if best is None or ranks[best] != best + 1:
        return list(told)
    account = told[best]
    is_judged = account.evidence.explained.baseline_from != "gallery"
    if is_judged or account.standing is None or account.standing.closeness != "far":
        return list(told)
    reason = replace(account.reason, warnings=(FAR, *account.reason.warnings))
    return [*told[:best], replace(account, reason=reason), *told[best + 1 :]]


def _parted(query: Subject, matched: Subject, evidence: Evidence) -> tuple[QuerySide, ...]:
    if not query.several:
        return ()
    sides, added = sides_of_each(query, evidence), added_by_each(query, matched)
    return tuple(QuerySide(*each) for each in zip(query.several, sides, added, strict=True))


def _seen(subject: Subject, judging: Judging) -> Seen:
    known = subject.computed_from != "nothing"
    if subject.upload is not None:
        return Seen(subject.upload.placement, subject.detail, known)
    assert subject.stored is not None  # what is no upload is an image of the gallery
    size = subject.stored.width, subject.stored.height
    return Seen(judging.checkpoint.record.preprocessing.placement(*size), subject.detail, known)


def _contributions(query: Subject, matched: Subject) -> Contributions | None:
    """None where one of the pictures could not be read again: nobody knows its spots."""
    if "nothing" in (query.computed_from, matched.computed_from):
        return None
    return contributions(
        query.local_embeddings,
        matched.local_embeddings,
        query_embedding=query.embedding,
        matched_embedding=matched.embedding,
    )
