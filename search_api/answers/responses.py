"""From what was found to what is sent: values into the JSON contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from gallery.builds.build import Build
from gallery.builds.image import GalleryImage
from gallery.builds.probing import Drift
from gallery.summaries import GallerySummary
from search_api.answers.evidence import account_fields
from search_api.evidence.accounts import Account
from search_api.evidence.explaining import Judging
from search_api.evidence.hiding import Hides
from search_api.loaded.checkpoints import Checkpoint
from search_api.matches.cursors import Cursor
from search_api.matches.ranking import Ranking
from search_api.matches.rescoring import Match
from search_api.queries.pictures import original
from search_api.queries.subjects import Subject
from search_api.schemas.encoder import EncoderSchema
from search_api.schemas.galleries import (
    AttributeSchema,
    GalleryDetail,
    ImageSchema,
    PublishedGallery,
    WatchSchema,
)
from search_api.schemas.query import CropSchema, QueryImageSchema, QuerySchema
from search_api.schemas.search import (
    CompareResponse,
    CompareTimings,
    MatchSchema,
    SearchResponse,
    SearchTimings,
)
from search_api.scoring import Scored, calibration_schema
from search_api.stopwatch import Stopwatch
from siamese.checkpoint import CheckpointRecord


def search_response(
    query: Subject,
    build: Build,
    judging: Judging,
    ranking: Ranking,
    matches: Sequence[MatchSchema],
    cursor: Cursor | None,
    clock: Stopwatch,
) -> SearchResponse:
    """The answer to one query; `cursor` leads to the matches after these."""
    return SearchResponse(
        query=query_schema(query),
        queries=query_images(query),
        gallery=build.gallery,
        build=build.number,
        **_judged_by(judging),
        prefilter=ranking.prefilter,
        index=build.manifest.index.kind,
        exhaustive=ranking.exhaustive,
        total=ranking.total,
        left_out=ranking.left_out or None,
        matches=list(matches),
        next_cursor=None if cursor is None else str(cursor),
        timings=SearchTimings(
            **clock.milliseconds("decode", "embed", "search", "rescore", "explain"),
            fetch=clock.measured("fetch"),
        ),
    )


def compare_response(
    query: Subject,
    matched: Subject,
    scored: Scored,
    account: Account,
    judging: Judging,
    build: Build | None,
    clock: Stopwatch,
    hides: Hides,
) -> CompareResponse:
    """The answer to one pair; no index was asked, so there is no index_distance."""
    return CompareResponse(
        **_pair_fields(matched, scored, account),
        rank=1,
        index_distance=None,
        query=query_schema(query),
        matched=query_schema(matched),
        gallery=build.gallery if build else None,
        build=build.number if build else None,
        **_judged_by(judging),
        what_if=hides.what_if,
        faithfulness=hides.faithfulness,
        timings=CompareTimings(**clock.milliseconds("decode", "embed", "explain")),
    )


def match_schema(match: Match, matched: Subject, account: Account, beside: Mapping[str, Any]) -> MatchSchema:
    """One match, and why, with what is told beside it."""
    fields = _pair_fields(matched, match.scored, account)
    return MatchSchema(rank=match.rank, index_distance=match.index_distance, **fields, **beside)


def published_gallery(summary: GallerySummary) -> PublishedGallery:
    """A gallery in the list; one of which a build is published."""
    encoder = {"name": summary.encoder_name, "fingerprint": summary.fingerprint}
    fields = {
        name: getattr(summary, name) for name in ("name", "build", "images", "contents", "published_at")
    }
    return PublishedGallery.model_validate({**fields, "encoder": encoder})


def gallery_detail(build: Build, checkpoint: Checkpoint, drift: Drift | None) -> GalleryDetail:
    """A gallery as its published build says; threshold and calibration are those of a search by distance."""
    record = checkpoint.record
    return GalleryDetail(
        name=build.gallery,
        build=build.number,
        images=len(build),
        contents=build.manifest.contents,
        encoder=encoder_schema(record),
        labels=build.labels(),
        attributes=[AttributeSchema(**asdict(each)) for each in build.narrowing.columns],
        scorers=checkpoint.scorers,
        fit=record.preprocessing.fit,
        class_head=checkpoint.heads.classes is not None,
        threshold=record.for_search.threshold,
        calibration=calibration_schema(record.for_search),
        watch=None if drift is None else watch_schema(drift),
    )


def watch_schema(drift: Drift) -> WatchSchema:
    """What searches compared with exact search say."""
    return WatchSchema(
        searches=drift.recall.queries,
        recall=drift.recall.value,
        low=drift.recall.low,
        high=drift.recall.high,
        expected=drift.expected.value if drift.expected else None,
        shift=drift.shift,
        warnings=list(drift.warnings),
    )


def image_schema(image: GalleryImage, build: Build) -> ImageSchema:
    """An image of a build; reads the original to say whether it is unchanged."""
    return ImageSchema(
        image_id=image.image_id,
        gallery=build.gallery,
        build=build.number,
        uri=image.uri,
        label=image.label,
        attributes=dict(image.attributes) or None,
        checksum=image.checksum,
        width=image.width,
        height=image.height,
        original=original(image).state,
    )


def query_schema(subject: Subject) -> QuerySchema:
    """Who the picture is, and which part of it was asked with."""
    return QuerySchema(uri=subject.uri, checksum=subject.checksum, **_cut_fields(subject))


def query_images(subject: Subject) -> list[QueryImageSchema] | None:
    """The pictures that were asked with together; None for a single one."""
    return [
        QueryImageSchema(
            uri=each.subject.uri,
            checksum=each.subject.checksum,
            **_cut_fields(each.subject),
            weight=each.weight,
        )
        for each in subject.several
    ] or None


def _cut_fields(subject: Subject) -> dict[str, Any]:
    cut = subject.cut
    if cut is None:
        return {}
    crop = CropSchema(box=cut.crop, pixels=cut.pixels) if cut.crop and cut.pixels else None
    return {"crop": crop, "masked": list(cut.masked) or None}


def encoder_schema(record: CheckpointRecord) -> EncoderSchema:
    """Who embedded."""
    return EncoderSchema(name=record.name, fingerprint=record.fingerprint)


def _judged_by(judging: Judging) -> dict[str, Any]:
    scorer = judging.scorer
    return {
        "encoder": encoder_schema(judging.checkpoint.record),
        "scorer": scorer.name,
        "threshold": scorer.threshold,
        "calibration": scorer.calibration,
    }


def _pair_fields(matched: Subject, scored: Scored, account: Account) -> dict[str, Any]:
    return {
        "image_id": matched.stored.image_id if matched.stored else None,
        "uri": matched.uri,
        "label": matched.stored.label if matched.stored else None,
        "attributes": (dict(matched.stored.attributes) or None) if matched.stored else None,
        "distance": scored.distance,
        "score": scored.score,
        "cosine": scored.cosine,
        "similarity": scored.similarity,
        "closer_than": account.standing.pairs if account.standing else None,
        "closer_than_nearest": account.standing.nearest if account.standing else None,
        "closeness": account.standing.closeness if account.standing else None,
        "probability": scored.probability,
        "verdict": scored.verdict,
        **account_fields(account),
    }
