"""What is told beside a match: the group that it is the best of, the other places of its content."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any

from gallery.builds.build import Build, GalleryImage
from search_api.choosing import Choice
from search_api.ranking import Group, Ranking
from search_api.rescoring import Match
from search_api.schemas_groups import GroupSchema, MemberSchema, PlaceSchema

MAX_PLACES = 20
"""Other places of one content that are listed: a placeholder may lie at thousands."""


def beside(ranking: Ranking, choice: Choice, build: Build) -> Iterator[dict[str, Any]]:
    """The fields of each shown match that tell its group or its places; none where neither was asked."""
    images = _images(ranking, build)
    for match, group in zip_longest(ranking.shown, ranking.groups):
        fields: dict[str, Any] = {}
        if group is not None:
            fields["group"] = _group_schema(group, str(choice.group_by), images)
        if choice.fold:
            fields["copies"] = 1 + len(match.also)
            fields["places"] = [_place_schema(images[each]) for each in match.also[:MAX_PLACES]] or None
        yield fields


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
