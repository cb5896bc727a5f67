"""Making, going back in and deleting galleries, and the encoders that there are."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from gallery.builds.history import KeptBuild, history
from gallery.builds.republication import manifest_of
from gallery.errors import AlreadyPublished
from gallery.jobs.requests import ActivateRequest, DeleteRequest
from search_api.errors import InvalidQuestion
from search_api.loaded.encoder_list import KnownEncoder, known_encoders
from search_api.routes.asking import Asking, StorableText, refusals
from search_api.routes.managing import Manages, Saying, accepted
from search_api.schemas.encoder import EncoderSchema
from search_api.schemas.jobs import JobSchema
from search_api.schemas.managing import (
    BuildList,
    BuildSchema,
    EncoderList,
    HeadsSchema,
    KnownEncoderSchema,
    MadeGallery,
    NewGallery,
)
from search_api.scoring import calibration_schema

router = APIRouter(prefix="/v1")

GalleryPath = Annotated[StorableText, Path(description="The gallery.")]


@router.post(
    "/galleries",
    status_code=HTTPStatus.CREATED,
    tags=["galleries"],
    summary="Make a gallery",
    responses=refusals(409, 422),
)
def create_gallery(managing: Manages, wanted: NewGallery) -> MadeGallery:
    """With nothing in it; imports make one, too. It cannot be searched before something is published."""
    managing.board.require_kept(wanted.name)  # else a deletion that was killed would end it
    return MadeGallery(name=managing.galleries.create(wanted.name).gallery, build=None)


@router.delete(
    "/galleries/{name}",
    status_code=HTTPStatus.ACCEPTED,
    tags=["galleries"],
    summary="Delete a gallery",
    responses=refusals(404, 422),
)
def delete_gallery(
    asking: Asking,
    managing: Manages,
    saying: Saying,
    response: Response,
    name: GalleryPath,
    confirm: Annotated[str, Query(description="The gallery's name once more.")],
) -> JobSchema:
    """With its builds and what was uploaded into it; other originals stay where they are.

    It shows nothing any more at once. A worker deletes it when nobody reads it; until then the job may be
    cancelled, and it is back.
    """
    managing.galleries.site(name)
    if confirm != name:
        raise InvalidQuestion(f"To delete the gallery {name!r}, confirm must be its name, not {confirm!r}.")
    job = managing.board.ask_once(DeleteRequest(), gallery=name, by=saying.author)
    asking.builds.let_go(name)
    return accepted(response, job)


@router.get(
    "/galleries/{name}/builds", tags=["galleries"], summary="List the builds", responses=refusals(404, 422)
)
def list_builds(managing: Manages, name: GalleryPath) -> BuildList:
    """The builds that the gallery keeps, the newest first."""
    told = history(managing.galleries.site(name))
    return BuildList(
        gallery=told.name,
        build=told.build,
        sources=list(told.sources),
        builds=[_build(each) for each in told.builds],
    )


@router.post(
    "/galleries/{name}/builds/{number}/activate",
    status_code=HTTPStatus.ACCEPTED,
    tags=["galleries"],
    summary="Go back to a build",
    responses=refusals(404, 409, 422),
)
def activate_build(
    managing: Manages,
    saying: Saying,
    response: Response,
    name: GalleryPath,
    number: Annotated[int, Path(ge=1, le=2**31 - 1, description="One that the gallery keeps.")],
) -> JobSchema:
    """Its state is published again as a new build, by a worker: images, labels and encoder are as they were.

    What a person has removed since stays removed.
    """
    site = managing.writable(name)
    manifest_of(site, number)
    if number == managing.galleries.published_build(name):
        raise AlreadyPublished(f"Build {number} of the gallery {name!r} is the published one.")
    request = ActivateRequest(build=number)
    return accepted(response, managing.board.ask_once(request, gallery=name, by=saying.author))


@router.get("/encoders", tags=["encoders"], summary="List the encoders", responses=refusals())
def list_encoders(asking: Asking, managing: Manages) -> EncoderList:
    """Those of the galleries, and those that new ones may choose from the folder of registered ones."""
    known = known_encoders(managing.galleries, managing.encoders)
    loaded = asking.loaded_fingerprints()
    return EncoderList(encoders=[_encoder(each, loaded) for each in known])


def _build(kept: KeptBuild) -> BuildSchema:
    return BuildSchema(
        build=kept.build,
        published=kept.published,
        published_at=kept.published_at,
        encoder=EncoderSchema(name=kept.encoder_name, fingerprint=kept.fingerprint),
        images=kept.images,
        contents=kept.contents,
        labels=kept.labels,
        bytes=kept.bytes,
        is_read=kept.is_read,
    )


def _encoder(known: KnownEncoder, loaded: frozenset[str]) -> KnownEncoderSchema:
    record = known.record
    return KnownEncoderSchema(
        name=record.name,
        fingerprint=record.fingerprint,
        body=record.body,
        dimension=record.dimension,
        image_size=record.preprocessing.image_size,
        bytes=known.bytes,
        threshold=record.for_search.threshold,
        calibration=calibration_schema(record.for_search),
        heads=HeadsSchema(pair=known.has_pair_head, classes=known.has_class_head),
        registered=known.is_registered,
        loaded=record.fingerprint in loaded,
        galleries=known.galleries,
    )
