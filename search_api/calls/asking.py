"""What a client may ask: searches, comparisons, and what there is to look at."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from search_api.calls.call import Call, Picture, gallery_path, model, pictures
from search_api.schemas.base import ExplainedScore, FittedOn, Prefilter, ScorerName
from search_api.schemas.batch import BatchResponse
from search_api.schemas.galleries import GalleryDetail, GalleryList, ImageSchema
from search_api.schemas.judgements import JudgementList, JudgementSchema
from search_api.schemas.map import GalleryMapSchema
from search_api.schemas.query import QUERY_ID
from search_api.schemas.search import CompareResponse, SearchResponse
from search_api.schemas.service import Health, SessionSchema
from search_api.schemas.why_not import WhyNotResponse


def search(
    image: Picture | None = None,
    *,
    image_id: int | None = None,
    image_url: str | None = None,
    query_id: str | None = None,
    crop: str | None = None,
    masked: Sequence[str] = (),
    images: Sequence[Picture] = (),
    queries: Sequence[Mapping[str, Any]] | None = None,
    gallery: str | None = None,
    k: int | None = None,
    label: Sequence[str] = (),
    where: Sequence[str] = (),
    prefilter: Prefilter | None = None,
    scorer: ScorerName | None = None,
    candidates: int | None = None,
    same_only: bool | None = None,
    min_probability: float | None = None,
    max_distance: float | None = None,
    group_by: str | None = None,
    group_size: int | None = None,
    fold: bool | None = None,
    include_judged: bool | None = None,
    cursor: str | None = None,
    explained: ExplainedScore | None = None,
    overlays: bool | None = None,
    correspondences: bool | None = None,
    keep: float | None = None,
) -> Call[SearchResponse]:
    """Images that look like a picture; `queries` asks with several of `images` and stored ones together."""
    form = {name: value for name, value in locals().items() if name not in {"image", "images", "queries"}}
    sent = [*images] if image is None else [image]
    told = None if queries is None else json.dumps([dict(each) for each in queries])
    return Call(
        "POST",
        "/v1/search",
        model(SearchResponse),
        data={**form, "queries": told},
        files=pictures("image", sent),
    )


def search_batch(
    searches: Sequence[Mapping[str, Any]], images: Sequence[Picture] = ()
) -> Call[BatchResponse]:
    """An answer or a problem for each of the searches; each has the fields of one, `upload` counts images."""
    told = json.dumps([dict(each) for each in searches])
    return Call(
        "POST",
        "/v1/search/batch",
        model(BatchResponse),
        data={"searches": told},
        files=pictures("image", images),
    )


def why_not(
    image: Picture | None = None,
    *,
    image_id: int | None = None,
    query_id: str | None = None,
    wanted_image_id: int | None = None,
    wanted_uri: str | None = None,
    gallery: str | None = None,
    k: int | None = None,
    label: Sequence[str] = (),
    where: Sequence[str] = (),
    prefilter: Prefilter | None = None,
    scorer: ScorerName | None = None,
    candidates: int | None = None,
    same_only: bool | None = None,
) -> Call[WhyNotResponse]:
    """Why such a search does not return an image."""
    form = {name: value for name, value in locals().items() if name != "image"}
    return Call("POST", "/v1/why-not", model(WhyNotResponse), data=form, files=_one("image", image))


def compare(
    a: Picture | None = None,
    b: Picture | None = None,
    *,
    a_image_id: int | None = None,
    b_image_id: int | None = None,
    a_query_id: str | None = None,
    b_query_id: str | None = None,
    crop: str | None = None,
    masked: Sequence[str] | None = None,
    gallery: str | None = None,
    scorer: ScorerName | None = None,
    calibration: FittedOn | None = None,
    explained: ExplainedScore | None = None,
    overlays: bool | None = None,
    correspondences: bool | None = None,
    contributions: bool | None = None,
    what_if: bool | None = None,
    faithfulness: bool | None = None,
) -> Call[CompareResponse]:
    """How near two pictures are, and why."""
    form = {name: value for name, value in locals().items() if name not in {"a", "b"}}
    files = [*_one("a", a), *_one("b", b)]
    return Call("POST", "/v1/compare", model(CompareResponse), data=form, files=files)


def list_galleries() -> Call[GalleryList]:
    """The galleries that can be searched."""
    return Call("GET", "/v1/galleries", model(GalleryList))


def get_gallery(name: str) -> Call[GalleryDetail]:
    """One gallery, with its labels and attributes."""
    return Call("GET", gallery_path(name), model(GalleryDetail))


def get_map(name: str) -> Call[GalleryMapSchema]:
    """The images of a gallery in the plane, and clusters of them."""
    return Call("GET", f"{gallery_path(name)}/map", model(GalleryMapSchema))


def get_image(image_id: int, *, gallery: str | None = None) -> Call[ImageSchema]:
    """What is known of an image."""
    return Call("GET", f"/v1/images/{image_id}", model(ImageSchema), params={"gallery": gallery})


def get_thumbnail(image_id: int, *, gallery: str | None = None) -> Call[bytes]:
    """An image, small, as JPEG."""
    return Call("GET", f"/v1/images/{image_id}/thumbnail", bytes, params={"gallery": gallery})


def get_picture(image_id: int, *, gallery: str | None = None) -> Call[bytes]:
    """An image, large, as JPEG."""
    return Call("GET", f"/v1/images/{image_id}/picture", bytes, params={"gallery": gallery})


def get_overlay(
    image_id: int,
    query: int | None = None,
    *,
    query_id: str | None = None,
    gallery: str | None = None,
    part: str | None = None,
    side: str | None = None,
    style: str | None = None,
    scorer: ScorerName | None = None,
    explained: ExplainedScore | None = None,
) -> Call[bytes]:
    """Why an image matches another one of the gallery, or a query that is kept, painted, as PNG."""
    params = {name: value for name, value in locals().items() if name not in {"image_id", "query_id"}}
    headers = {} if query_id is None else _naming(query_id)
    return Call("GET", f"/v1/images/{image_id}/overlay", bytes, params=params, headers=headers)


def judge(
    gallery: str,
    *,
    says: str,
    image_id: int,
    query_image_id: int | None = None,
    query_checksum: str | None = None,
    author: str | None = None,
) -> Call[JudgementSchema]:
    """A word on a pair: right or wrong."""
    told = {name: value for name, value in locals().items() if name != "gallery" and value is not None}
    return Call("POST", f"{gallery_path(gallery)}/judgements", model(JudgementSchema), json=told)


def list_judgements(
    gallery: str,
    *,
    checksum: str | None = None,
    revoked: bool | None = None,
    after: int | None = None,
    limit: int | None = None,
) -> Call[JudgementList]:
    """The judgements of a gallery, the oldest first."""
    params = {name: value for name, value in locals().items() if name != "gallery"}
    return Call("GET", f"{gallery_path(gallery)}/judgements", model(JudgementList), params=params)


def revoke_judgement(gallery: str, judgement_id: int) -> Call[JudgementSchema]:
    """A judgement holds no longer."""
    return Call("DELETE", f"{gallery_path(gallery)}/judgements/{judgement_id}", model(JudgementSchema))


def get_kept_picture(query_id: str) -> Call[bytes]:
    """The picture of a query that is kept, as JPEG."""
    return Call("GET", "/v1/queries/picture", bytes, headers=_naming(query_id))


def forget_query(query_id: str) -> Call[bytes]:
    """Remove a query that is kept; the answer is empty."""
    return Call("DELETE", "/v1/queries", bytes, headers=_naming(query_id))


def get_session() -> Call[SessionSchema]:
    """Whether keys are asked for, and what this one is good for."""
    return Call("GET", "/v1/session", model(SessionSchema))


def livez() -> Call[Health]:
    """Whether the process lives."""
    return Call("GET", "/livez", model(Health))


def readyz() -> Call[Health]:
    """Whether searches can be answered; raises ApiError where they cannot."""
    return Call("GET", "/readyz", model(Health))


def _naming(query_id: str) -> dict[str, str]:
    """The id where no log of addresses has it; what is no id of ours is quoted, as a header must be ASCII."""
    return {QUERY_ID: quote(query_id, safe="")}


def _one(name: str, picture: Picture | None) -> list[tuple[str, tuple[str, bytes]]]:
    return [] if picture is None else pictures(name, [picture])
