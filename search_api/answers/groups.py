"""What is told beside a match: its group, the other places of its content, what people said of the pair."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from gallery.builds.build import Build
from gallery.builds.image import GalleryImage
from gallery.judgements import Judgement, Judgements
from search_api.matches.choosing import Choice
from search_api.matches.ranking import Group, Ranking
from search_api.matches.rescoring import Match
from search_api.queries.subjects import Subject
from search_api.schemas.groups import GroupSchema, MemberSchema, PlaceSchema
from search_api.schemas.judgements import JudgementSchema

MAX_PLACES = 20
"""Other places of one content that are listed: a placeholder may lie at thousands."""


Judged = Mapping[str, Judgement]
"""The judgements that stand on pairs of a query, by the other content."""


def judgements_of(query: Subject, build: Build) -> Judged:
    """Those that stand on pairs of this query; nobody judged a part of it, nor several pictures together."""
    if query.cut is not None or query.several:
        return {}
    return Judgements(build.site).of(query.checksum)


def beside(ranking: Ranking, choice: Choice, build: Build, judged: Judged) -> Iterator[dict[str, Any]]:
    """The fields of each shown match that tell its group, its places, or what was said of the pair."""
    images = _images(ranking, build)
    shown = build.images([each.image_id for each in ranking.shown]) if judged else []
    contents = {each.image_id: each.checksum for each in shown}
    for match, group in zip_longest(ranking.shown, ranking.groups):
        fields: dict[str, Any] = {}
        if group is not None:
            fields["group"] = _group_schema(group, str(choice.group_by), images)
        if choice.fold:
            fields["copies"] = 1 + len(match.also)
            fields["places"] = [_place_schema(images[each]) for each in match.also[:MAX_PLACES]] or None
        if (said := judged.get(contents.get(match.image_id, ""))) is not None:
            fields["judgement"] = judgement_schema(said)
        yield fields


def judgement_schema(judgement: Judgement) -> JudgementSchema:
    """What is told of a judgement."""
    return JudgementSchema(
        judgement_id=judgement.judgement_id,
        query=judgement.query,
        matched=judgement.matched,
        says="right" if judgement.right else "wrong",
        author=judgement.author,
        made_at=judgement.made_at,
        revoked_at=judgement.revoked_at,
    )


def _images(ranking: Ranking, build: Build) -> dict[int, GalleryImage]:
    members = [each.image_id for group in ranking.groups for each in group.members]
    places = [image_id for each in ranking.shown for image_id in each.also[:MAX_PLACES]]
    found: Sequence[GalleryImage] = build.images([*members, *places])
    return {each.image_id: each for each in found}


def _group_schema(group: Group, by: str, images: dict[int, GalleryImage]) -> GroupSchema:
    members = [_member_schema(each, images[each.image_id]) for each in group.members[1:]]
    return GroupSchema(by=by, name=group.name, images=group.images, members=members)


def _member_schema(match: Match, image: GalleryImage) -> MemberSchema:
    scored = match.scored
    return MemberSchema(
        image_id=image.image_id,
        uri=image.uri,
        label=image.label,
        distance=scored.distance,
        score=scored.score,
        similarity=scored.similarity,
        probability=scored.probability,
        verdict=scored.verdict,
    )


def _place_schema(image: GalleryImage) -> PlaceSchema:
    return PlaceSchema(image_id=image.image_id, uri=image.uri, label=image.label)
