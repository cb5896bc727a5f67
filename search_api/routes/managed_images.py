"""Images one by one: listed, added, replaced, labelled and removed."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, File, Path, Query, Response, UploadFile

from gallery.amending import relabel, set_attributes
from gallery.builds.image import GalleryImage
from gallery.builds.pages import images_page
from gallery.errors import NotUploaded, UploadRefused
from gallery.jobs.requests import AmendRequest, UploadRequest
from gallery.removals import is_removed, remove_image
from gallery.uploads.archives import is_archive
from gallery.uploads.receiving import SentFile, receive, replace
from search_api.errors import InvalidQuestion
from search_api.matches.conditions import conditions
from search_api.routes.asking import Asking, ImageId, StorableText, refusals
from search_api.routes.imports import AttributesField, LabelField, told_attributes
from search_api.routes.managing import Manages, Saying, accepted, required_attributes, required_label
from search_api.schemas.asking import MAX_DATABASE_ID
from search_api.schemas.jobs import JobSchema
from search_api.schemas.managing import ImageChange, ImageList, ListedImage

router = APIRouter(prefix="/v1/galleries/{name}/images", tags=["images"])

GalleryPath = Annotated[StorableText, Path(description="The gallery.")]
MOST_LISTED = 1000


@router.get("", summary="List the images", responses=refusals(404, 422))
def list_images(
    asking: Asking,
    managing: Manages,
    name: GalleryPath,
    label: Annotated[
        list[StorableText] | None, Query(description="Only those with one of these labels.")
    ] = None,
    where: Annotated[
        list[str] | None, Query(description="Only those that satisfy these conditions, as in a search.")
    ] = None,
    after: Annotated[int, Query(ge=0, le=MAX_DATABASE_ID, description="Only those after this one.")] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST_LISTED, description="The most that one answer holds.")] = 100,
) -> ImageList:
    """By id, a page at a time; what a person has removed is left out at once."""
    with asking.builds.lend(name) as (build, _):
        site = managing.galleries.site(name)
        found = images_page(site, build, labels=label, where=conditions(where), after=after, limit=limit + 1)
        listed = [
            ListedImage(
                image_id=each.image_id,
                uri=each.uri,
                label=each.label,
                attributes=dict(each.attributes) or None,
                checksum=each.checksum,
                width=each.width,
                height=each.height,
                uploaded=site.owns(each.uri),
            )
            for each in found[:limit]
        ]
        after_next = found[limit - 1].image_id if len(found) > limit else None
        return ImageList(gallery=name, build=build.number, images=listed, next_after=after_next)


@router.post(
    "", status_code=HTTPStatus.ACCEPTED, summary="Add an image", responses=refusals(404, 409, 413, 422)
)
def add_image(
    managing: Manages,
    saying: Saying,
    response: Response,
    name: GalleryPath,
    image: Annotated[UploadFile, File(description="The picture; it becomes the gallery's own.")],
    label: LabelField = None,
    attributes: AttributesField = None,
) -> JobSchema:
    """It can be found when a worker has done the job, whose request names its `uri`."""
    site = managing.writable(name)
    said, told = required_label(label), told_attributes(attributes)
    (uri,) = receive(site, [_single(image)], managing.uploads, label=said, attributes=told, said=saying)
    request = UploadRequest(files=1, uri=uri)
    return accepted(response, managing.board.ask(request, gallery=name, by=saying.author))


@router.put(
    "/{image_id}",
    status_code=HTTPStatus.ACCEPTED,
    summary="Replace an image",
    responses=refusals(404, 409, 413, 422),
)
def replace_image(
    asking: Asking,
    managing: Manages,
    saying: Saying,
    response: Response,
    name: GalleryPath,
    image_id: ImageId,
    image: Annotated[UploadFile, File(description="The picture that is to stand in its place.")],
) -> JobSchema:
    """Other bytes are another image: it gets an id of its own, and keeps label and attributes.

    Only of originals that are the gallery's own; others are changed where they lie, and imported again.
    """
    site, found = managing.writable(name), _image(asking, name, image_id)
    if not site.owns(found.uri):
        raise NotUploaded(
            f"The original of image {image_id} is {found.uri}, which is not the gallery's own; change it "
            "there and import it again."
        )
    replace(site, found.uri, _single(image), managing.uploads)
    request = UploadRequest(files=1, uri=found.uri)
    return accepted(response, managing.board.ask(request, gallery=name, by=saying.author))


@router.patch(
    "/{image_id}",
    status_code=HTTPStatus.ACCEPTED,
    summary="Label an image",
    responses=refusals(404, 409, 422),
)
def change_image(
    asking: Asking,
    managing: Manages,
    saying: Saying,
    response: Response,
    name: GalleryPath,
    image_id: ImageId,
    change: ImageChange,
) -> JobSchema:
    """A label or attributes that a person sets stay until a person sets others, whatever a later import says.

    They are seen when a worker has done the job.
    """
    site, found = managing.writable(name), _image(asking, name, image_id)
    if not change.model_fields_set:
        raise InvalidQuestion("Nothing is said of the image; name a label or attributes.")
    attributes = required_attributes(change.attributes)
    if "label" in change.model_fields_set:
        relabel(site, found, required_label(change.label), saying)
    if attributes:
        set_attributes(site, found, attributes, saying)
    return accepted(response, managing.board.ask_once(AmendRequest(), gallery=name, by=saying.author))


@router.delete(
    "/{image_id}",
    status_code=HTTPStatus.ACCEPTED,
    summary="Remove an image",
    responses=refusals(404, 409, 422),
)
def delete_image(
    asking: Asking,
    managing: Manages,
    saying: Saying,
    response: Response,
    name: GalleryPath,
    image_id: ImageId,
) -> JobSchema:
    """No search finds it from now on, in whichever build; a worker does the rest. Again changes nothing.

    Its original is deleted only if it is the gallery's own. Elsewhere it stays, and is no image of the
    gallery any more, however often it is imported again.
    """
    site = managing.writable(name)
    if not is_removed(site, image_id):
        remove_image(site, _image(asking, name, image_id), saying)
    return accepted(response, managing.board.ask_once(AmendRequest(), gallery=name, by=saying.author))


def _single(image: UploadFile) -> SentFile:
    name = image.filename or "picture"
    if is_archive(name):
        raise UploadRefused(f"{name!r} is an archive; send it to /v1/galleries/{{name}}/uploads.")
    return SentFile(name, image.file)


def _image(asking: Asking, name: str, image_id: int) -> GalleryImage:
    with asking.builds.lend(name) as (build, _):
        return build.image(image_id)
