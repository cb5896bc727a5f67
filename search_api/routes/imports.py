"""Imports: files become images of a gallery, from sources that the settings allow, or as they are sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, File, Form, Path, Response, UploadFile
from pydantic import TypeAdapter, ValidationError

from gallery.amending import say_of_source
from gallery.jobs.requests import ImportRequest, UploadRequest
from gallery.sources.kinds import source_of
from gallery.uploads.receiving import SentFile, receive
from search_api.errors import InvalidQuestion
from search_api.routes.asking import StorableText, refusals
from search_api.routes.managing import Manages, Saying, accepted, required_attributes, required_label
from search_api.schemas.jobs import EncoderWishSchema, ImportSchema, JobSchema

router = APIRouter(prefix="/v1/galleries", tags=["imports"])

NamedGallery = Annotated[StorableText, Path(description="The gallery; it is made where there is none.")]
_EXAMPLE = '{"year": "2020"}'
_ATTRIBUTES = TypeAdapter(dict[str, str])

LabelField = Annotated[
    str | None,
    Form(description="Of all that is sent; by default the folder in an archive, or none.", max_length=500),
]
AttributesField = Annotated[
    str | None, Form(description="Of all that is sent, as a JSON object of texts.", max_length=65_536)
]


@router.post(
    "/{name}/imports",
    status_code=HTTPStatus.ACCEPTED,
    summary="Import pictures from where they lie",
    responses=refusals(403, 404, 409, 422),
)
def import_sources(
    managing: Manages, saying: Saying, response: Response, name: NamedGallery, wanted: ImportSchema
) -> JobSchema:
    """The files of the sources become images of the gallery; done by a worker, as a job.

    Originals are not copied. What is known is not embedded again, so that importing again is cheap. A label
    or attributes that are given hold for all images of these sources until somebody says otherwise.
    """
    uris = [_allowed(managing, text) for text in wanted.sources]
    label, attributes = required_label(wanted.label), required_attributes(wanted.attributes)
    encoder = managing.encoder(wanted.encoder)
    if not uris and not managing.galleries.sources(name):
        raise InvalidQuestion(f"The gallery {name!r} is made of nothing yet; name sources.")
    with managing.writable_or_new(name) as site:
        if label is not None or attributes:
            for uri in uris:
                texts = {key: text for key, text in attributes.items() if text is not None}
                say_of_source(site, uri, label=label, attributes=texts, said=saying)
    request = ImportRequest(
        sources=uris,
        encoder=encoder,
        refit=wanted.refit,
        allow_empty=wanted.allow_empty,
        retry_failed=wanted.retry_failed,
        rehash=wanted.rehash,
    )
    return accepted(response, managing.board.ask(request, gallery=name, by=saying.author))


@router.post(
    "/{name}/uploads",
    status_code=HTTPStatus.ACCEPTED,
    summary="Import pictures that are sent",
    responses=refusals(404, 409, 413, 422),
)
def upload(
    managing: Manages,
    saying: Saying,
    response: Response,
    name: NamedGallery,
    files: Annotated[list[UploadFile], File(description="Pictures, and archives of pictures (zip, tar).")],
    label: LabelField = None,
    attributes: AttributesField = None,
    encoder: Annotated[
        StorableText | None,
        Form(description="Of a new gallery: a registered one, or a body's name after “body:”."),
    ] = None,
) -> JobSchema:
    """What is sent becomes originals that are the gallery's own: in its backups, and deleted with it.

    They are images once a worker has done the job.
    """
    said_label, told = required_label(label), told_attributes(attributes)
    wish = managing.encoder(_wish(encoder))
    with managing.writable_or_new(name) as site:
        uris = receive(site, _sent(files), managing.uploads, label=said_label, attributes=told, said=saying)
    request = UploadRequest(files=len(uris), encoder=wish)
    return accepted(response, managing.board.ask(request, gallery=name, by=saying.author))


def _allowed(managing: Manages, text: str) -> str:
    managing.allowed.require(text)
    return source_of(text).uri


def _sent(files: Sequence[UploadFile]) -> Iterator[SentFile]:
    for each in files:
        yield SentFile(each.filename or "picture", each.file)


def _wish(encoder: str | None) -> EncoderWishSchema:
    body = (encoder or "").removeprefix("body:")
    return EncoderWishSchema(body=body) if encoder and body != encoder else EncoderWishSchema(name=encoder)


def told_attributes(text: str | None) -> dict[str, str]:
    """Attributes as a form has them; raises InvalidQuestion."""
    if not text:
        return {}
    try:
        told = _ATTRIBUTES.validate_json(text)
    except ValidationError:
        raise InvalidQuestion(
            f"attributes are a JSON object of texts, such as {_EXAMPLE}, not {text[:50]!r}."
        ) from None
    return {name: value for name, value in required_attributes(told).items() if value is not None}
