"""Why an image of the gallery was not returned: the search asked again, and looked at stage by stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gallery.builds.build import Build
from gallery.builds.image import GalleryImage
from gallery.fate import Fate
from gallery.filters.conditions import Condition, Where
from gallery.index.candidates import Candidate
from search_api.answers.responses import encoder_schema, query_schema
from search_api.evidence.explaining import Judging
from search_api.matches.ranking import Ranking, Wish
from search_api.matches.rescoring import Match
from search_api.presence import require_somebody
from search_api.queries.subjects import Subject
from search_api.schemas.why_not import (
    FilterStageSchema,
    IndexStageSchema,
    Outcome,
    RescoringStageSchema,
    WantedSchema,
    WhyNotResponse,
)
from search_api.scoring import Scored

COUNTED = 10_000
"""The nearest that are looked through for an image's exact place: a second on a gallery of a million."""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """A search as it was asked, and what it came to, by which an image that was expected is followed."""

    asked: Subject
    build: Build
    judging: Judging
    wish: Wish
    ranking: Ranking


def why_not(question: Question, found: Fate) -> WhyNotResponse:
    """What kept the image from being returned, or that it was; raises Abandoned where nobody waits for it."""
    if found.known != "live" or found.image_id is None:
        return _unknown(question, found)
    build = question.build
    image = build.image(found.image_id)
    wanted = WantedSchema(image_id=image.image_id, uri=image.uri, label=image.label)
    failed = _failed(build, image, question.ranking.where)
    filters = FilterStageSchema(passed=not failed, failed=[str(each) for each in failed])
    scored = question.judging.scorer.scored(question.asked.embedding, build.embeddings([image.image_id]))[0]
    rescoring = _rescoring(question, image, scored)
    if failed:
        said = " and ".join(filters.failed)
        reason = f"The search is narrowed, and the image does not satisfy {said}; leave the condition out."
        return _answer(question, wanted, "filtered", reason, filters=filters, rescoring=rescoring)
    index = _index(question, image)
    outcome = _outcome(question, image, rescoring, index)
    reason = _reason(outcome, rescoring, index, question)
    return _answer(question, wanted, outcome, reason, filters=filters, index=index, rescoring=rescoring)


def _unknown(question: Question, found: Fate) -> WhyNotResponse:
    wanted = WantedSchema(image_id=found.image_id, uri=found.uri, label=None)
    if found.known == "ended" and found.reason is not None:
        reason = (
            "A person removed the image from the gallery; take that back with `whyalike gallery removals "
            "revoke`, and it is found again."
        )
        return _answer(question, wanted, "tombstoned", reason)
    if found.known == "ended":
        reason = (
            f"The image was removed: build {found.until_build} is the first without it, and build "
            f"{question.build.number} was searched; index its source again if it is back."
        )
        return _answer(question, wanted, "tombstoned", reason)
    if found.known == "unreadable":
        reason = f"The file could not be read when it was indexed: {found.reason}."
        return _answer(question, wanted, "unreadable", reason)
    reason = f"Build {question.build.number} of {question.build.gallery} has no such image; index it."
    return _answer(question, wanted, "not-indexed", reason)


def _failed(build: Build, image: GalleryImage, where: Where) -> list[Condition]:
    return [each for each in where if not build.narrowing.satisfies(image.image_id, (each,))]


def _rescoring(question: Question, image: GalleryImage, scored: Scored) -> RescoringStageSchema:
    match = _match(question.ranking.matches, image)
    shown = question.ranking.shown
    return RescoringStageSchema(
        distance=scored.distance,
        similarity=scored.similarity,
        score=scored.score,
        probability=scored.probability,
        verdict=scored.verdict,
        rank=match.rank if match else None,
        k=question.wish.k,
        last_score=shown[-1].scored.score if shown else None,
        threshold=question.judging.scorer.threshold,
    )


def _index(question: Question, image: GalleryImage) -> IndexStageSchema:
    proposed = question.ranking.proposed
    return IndexStageSchema(
        exact_rank=_place(_nearest(question), image),
        counted=COUNTED,
        candidates=question.ranking.count,
        proposed=_place(proposed, image) is not None,
        farthest_proposed=proposed[-1].index_distance if proposed else None,
    )


def _nearest(question: Question) -> list[Candidate]:
    require_somebody()
    return question.build.search_exactly(
        question.asked.embedding,
        count=COUNTED,
        where=question.ranking.where,
        fingerprint=question.asked.fingerprint,
    )


def _place(candidates: Sequence[Candidate], image: GalleryImage) -> int | None:
    ids = (each.image_id for each in candidates)
    return next((place for place, each in enumerate(ids, start=1) if each == image.image_id), None)


def _match(matches: Sequence[Match], image: GalleryImage) -> Match | None:
    return next((each for each in matches if each.image_id == image.image_id), None)


def _outcome(
    question: Question, image: GalleryImage, rescoring: RescoringStageSchema, index: IndexStageSchema
) -> Outcome:
    if _match(question.ranking.shown, image):
        return "returned"
    if not index.proposed:
        is_near = index.exact_rank is not None and index.exact_rank <= index.candidates
        return "lost-by-index" if is_near else "too-far"
    if image.image_id in question.ranking.wrong and not question.wish.choice.include_judged:
        return "judged-wrong"
    if question.wish.same_only and rescoring.verdict == "different":
        return "different"
    is_near = index.exact_rank is not None and index.exact_rank <= rescoring.k
    return "pushed-down" if is_near else "too-far"


def _reason(
    outcome: Outcome, rescoring: RescoringStageSchema, index: IndexStageSchema, question: Question
) -> str:
    place = f"number {index.exact_rank}" if index.exact_rank else f"beyond the nearest {index.counted:,}"
    match outcome:
        case "returned":
            return f"It was returned: it is match {rescoring.rank}."
        case "lost-by-index":
            return (
                f"By exact distance it is {place}, but the approximate index did not propose it; ask for "
                "more candidates, or build a better one with `whyalike gallery compact --recall`."
            )
        case "different":
            return (
                f"Its verdict is “different” at distance {rescoring.distance:.3f}, and only what is the same "
                "was asked for."
            )
        case "judged-wrong":
            return (
                "The pair was judged wrong, and such pairs are left out; ask with include_judged to see it, "
                "or revoke the judgement with `whyalike judgements revoke`."
            )
        case "pushed-down":
            return (
                f"By distance it is {place}, but the scorer {question.judging.scorer.name} put it in place "
                f"{rescoring.rank} of {index.candidates} candidates, behind the {rescoring.k} matches."
            )
        case _:
            return _too_far(place, rescoring, index)


def _too_far(place: str, rescoring: RescoringStageSchema, index: IndexStageSchema) -> str:
    matches = "1 match" if rescoring.k == 1 else f"{rescoring.k} matches"
    asked = f"{matches} of {index.candidates} candidates {'was' if rescoring.k == 1 else 'were'} asked for"
    return f"Others are nearer: by exact distance it is {place}, and {asked}; ask for more."


def _answer(
    question: Question,
    wanted: WantedSchema,
    outcome: Outcome,
    reason: str,
    *,
    filters: FilterStageSchema | None = None,
    index: IndexStageSchema | None = None,
    rescoring: RescoringStageSchema | None = None,
) -> WhyNotResponse:
    return WhyNotResponse(
        query=query_schema(question.asked),
        wanted=wanted,
        gallery=question.build.gallery,
        build=question.build.number,
        encoder=encoder_schema(question.judging.checkpoint.record),
        scorer=question.judging.scorer.name,
        outcome=outcome,
        reason=reason,
        filters=filters,
        index=index,
        rescoring=rescoring,
    )
