"""What a client may do to galleries: imports, jobs, images one by one, builds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from search_api.calls.call import Call, Picture, gallery_path, model, pictures
from search_api.schemas.jobs import (
    EncoderWishSchema,
    ImportSchema,
    JobErrorList,
    JobList,
    JobSchema,
    JobState,
)
from search_api.schemas.managing import (
    BuildList,
    EncoderList,
    ImageChange,
    ImageList,
    MadeGallery,
    RemovalList,
    UnreadableList,
)


def import_sources(
    gallery: str,
    sources: Sequence[str] = (),
    *,
    label: str | None = None,
    attributes: Mapping[str, str] | None = None,
    encoder: EncoderWishSchema | None = None,
    refit: bool = False,
    allow_empty: bool = False,
    retry_failed: bool = False,
    rehash: bool = False,
) -> Call[JobSchema]:
    """Files become images from where they lie, as a job; without sources those of the gallery."""
    wanted = ImportSchema(
        sources=list(sources),
        label=label,
        attributes=dict(attributes or {}),
        encoder=encoder or EncoderWishSchema(),
        refit=refit,
        allow_empty=allow_empty,
        retry_failed=retry_failed,
        rehash=rehash,
    )
    told = wanted.model_dump(mode="json")
    return Call("POST", f"{gallery_path(gallery)}/imports", model(JobSchema), json=told)


def upload(
    gallery: str,
    files: Sequence[Picture],
    *,
    label: str | None = None,
    attributes: Mapping[str, str] | None = None,
    encoder: str | None = None,
) -> Call[JobSchema]:
    """Pictures and archives become images of the gallery's own, as a job."""
    form = {"label": label, "attributes": _attributes(attributes), "encoder": encoder}
    sent = pictures("files", files)
    return Call("POST", f"{gallery_path(gallery)}/uploads", model(JobSchema), data=form, files=sent)


def list_jobs(
    *,
    gallery: str | None = None,
    state: Sequence[JobState] = (),
    before: int | None = None,
    limit: int | None = None,
) -> Call[JobList]:
    """The jobs, the newest first."""
    return Call("GET", "/v1/jobs", model(JobList), params=dict(locals()))


def get_job(job_id: int) -> Call[JobSchema]:
    """How far a job is."""
    return Call("GET", f"/v1/jobs/{job_id}", model(JobSchema))


def list_job_errors(job_id: int, *, after: int | None = None, limit: int | None = None) -> Call[JobErrorList]:
    """The files that a job could not read."""
    params = {"after": after, "limit": limit}
    return Call("GET", f"/v1/jobs/{job_id}/errors", model(JobErrorList), params=params)


def get_job_errors_table(job_id: int) -> Call[bytes]:
    """All of them, as CSV."""
    return Call("GET", f"/v1/jobs/{job_id}/errors.csv", bytes)


def cancel_job(job_id: int) -> Call[JobSchema]:
    """End a job; what was published stays."""
    return Call("POST", f"/v1/jobs/{job_id}/cancel", model(JobSchema))


def create_gallery(name: str) -> Call[MadeGallery]:
    """A gallery with nothing in it."""
    return Call("POST", "/v1/galleries", model(MadeGallery), json={"name": name})


def delete_gallery(name: str, *, confirm: str) -> Call[JobSchema]:
    """Delete a gallery, as a job; `confirm` is its name once more."""
    return Call("DELETE", gallery_path(name), model(JobSchema), params={"confirm": confirm})


def list_builds(gallery: str) -> Call[BuildList]:
    """The builds that a gallery keeps."""
    return Call("GET", f"{gallery_path(gallery)}/builds", model(BuildList))


def activate_build(gallery: str, number: int) -> Call[JobSchema]:
    """Publish the state of an older build again, as a job."""
    return Call("POST", f"{gallery_path(gallery)}/builds/{number}/activate", model(JobSchema))


def list_encoders() -> Call[EncoderList]:
    """The encoders of galleries, and those that new ones may choose."""
    return Call("GET", "/v1/encoders", model(EncoderList))


def list_images(
    gallery: str,
    *,
    label: Sequence[str] = (),
    where: Sequence[str] = (),
    after: int | None = None,
    limit: int | None = None,
) -> Call[ImageList]:
    """The images of a gallery, by id."""
    params = {name: value for name, value in locals().items() if name != "gallery"}
    return Call("GET", f"{gallery_path(gallery)}/images", model(ImageList), params=params)


def add_image(
    gallery: str,
    image: Picture,
    *,
    label: str | None = None,
    attributes: Mapping[str, str] | None = None,
) -> Call[JobSchema]:
    """Add a picture, as a job whose request names its `uri`."""
    form = {"label": label, "attributes": _attributes(attributes)}
    sent = pictures("image", [image])
    return Call("POST", f"{gallery_path(gallery)}/images", model(JobSchema), data=form, files=sent)


def replace_image(gallery: str, image_id: int, image: Picture) -> Call[JobSchema]:
    """Put a picture in the place of an uploaded one, as a job."""
    path = f"{gallery_path(gallery)}/images/{image_id}"
    return Call("PUT", path, model(JobSchema), files=pictures("image", [image]))


def change_image(gallery: str, image_id: int, **change: Any) -> Call[JobSchema]:
    """Say another `label` (None: no label) or `attributes` (None takes one away) of an image, as a job."""
    path = f"{gallery_path(gallery)}/images/{image_id}"
    told = ImageChange(**change).model_dump(mode="json", exclude_unset=True)
    return Call("PATCH", path, model(JobSchema), json=told)


def delete_image(gallery: str, image_id: int) -> Call[JobSchema]:
    """Remove an image: no search finds it any more, at once."""
    return Call("DELETE", f"{gallery_path(gallery)}/images/{image_id}", model(JobSchema))


def list_unreadable(
    gallery: str, *, after: str | None = None, limit: int | None = None
) -> Call[UnreadableList]:
    """The files that could not be read and so are no images, by uri."""
    params = {"after": after, "limit": limit}
    return Call("GET", f"{gallery_path(gallery)}/unreadable", model(UnreadableList), params=params)


def list_removals(gallery: str, *, after: int | None = None, limit: int | None = None) -> Call[RemovalList]:
    """The images that people have removed, by id."""
    params = {"after": after, "limit": limit}
    return Call("GET", f"{gallery_path(gallery)}/removals", model(RemovalList), params=params)


def revoke_removal(gallery: str, image_id: int) -> Call[JobSchema]:
    """Take a removal back, as a job: the image is found again."""
    return Call("DELETE", f"{gallery_path(gallery)}/removals/{image_id}", model(JobSchema))


def _attributes(attributes: Mapping[str, str] | None) -> str | None:
    return None if attributes is None else json.dumps(dict(attributes))
