"""What a form asks with: a picture that was sent, is stored or lies on the web, a part of it, or several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import Annotated

from fastapi import Depends, File, Form, Request, UploadFile
from starlette.concurrency import run_in_threadpool

from search_api.errors import InvalidQuestion, UploadTooLarge
from search_api.queries.subjects import (
    Asked,
    KeptUpload,
    Linked,
    Part,
    Several,
    Stored,
    Upload,
    Weighted,
    Whole,
)
from search_api.regions import Region, regions
from search_api.routes.asking import Asking, StorableText, TheRates, count_searches
from search_api.schemas.asking import MAX_DATABASE_ID, MAX_QUERY_ID, MAX_URL, PictureJson, QueryJson, parsed

CropField = Annotated[
    StorableText | None,
    Form(
        description="Ask with a part of the picture: `left,top,right,bottom` in shares of the upright one, "
        "such as `0.1,0.2,0.5,0.6`, or in pixels, such as `40,30,200,180px`.",
        max_length=200,
    ),
]
MaskedField = Annotated[
    list[StorableText] | None,
    Form(description="Regions of the whole picture that are ignored, written like the crop."),
]
MAX_QUERIES_TEXT = 50_000
"""Characters: reading JSON of a megabyte takes seconds."""
QueriesField = Annotated[
    str | None,
    Form(
        max_length=MAX_QUERIES_TEXT,
        description="Instead of the fields of one picture: a JSON list of "
        "`{upload | image_id | image_url | query_id, weight, crop, masked}`; `upload` counts the pictures "
        "sent as `image` from 0. A negative weight asks for what is unlike a picture.",
    ),
]


async def _query(
    request: Request,
    asking: Asking,
    rates: TheRates,
    image: Annotated[
        list[UploadFile] | None, File(description="The picture, or those that `queries` counts; not kept.")
    ] = None,
    image_id: Annotated[
        int | None,
        Form(ge=1, le=MAX_DATABASE_ID, description="Instead of a picture: an image of the gallery."),
    ] = None,
    image_url: Annotated[
        StorableText | None,
        Form(description="Instead: a picture of the web, where the service allows it.", max_length=MAX_URL),
    ] = None,
    query_id: Annotated[
        StorableText | None, Form(description="Instead: a picture that is kept.", max_length=MAX_QUERY_ID)
    ] = None,
    crop: CropField = None,
    masked: MaskedField = None,
    queries: QueriesField = None,
) -> Asked:
    files = image or []
    pictures = [await _read(file, asking.settings.upload_max_bytes) for file in files]

    def upload(number: int) -> Upload:
        _require_sent(number, len(files))
        return pictures[number]

    if queries is not None:
        require_alone(image_id, image_url, query_id, crop, masked)
        listed = await run_in_threadpool(parsed, list[QueryJson], queries, "queries")
        asked = several(listed, upload)
        count_searches(request, rates, min(len(listed), asking.settings.max_queries))
        return asked
    if len(files) > 1:
        raise InvalidQuestion(
            f"{len(files)} pictures were sent: say in queries with which weights they are asked with."
        )
    single = PictureJson(
        upload=0 if files else None,
        image_id=image_id,
        image_url=image_url,
        query_id=query_id,
        crop=crop,
        masked=masked or [],
    )
    return picture(single, upload, fields="a picture as image, an image of the gallery as image_id")


Query = Annotated[Asked, Depends(_query)]


class Sent:
    """The pictures of a form, read one by one as they are asked for."""

    def __init__(self, files: Sequence[UploadFile], limit: int) -> None:
        self.files = files
        self._limit = limit

    def upload(self, number: int) -> Upload:
        """The picture of this number, from 0; raises UploadTooLarge, and InvalidQuestion for no picture."""
        _require_sent(number, len(self.files))
        return uploaded(self.files[number], self._limit)


def uploaded(file: UploadFile, limit: int) -> Upload:
    """What was sent, named without folders; raises UploadTooLarge."""
    file.file.seek(0)
    return _named(file, file.file.read(limit + 1), limit)


async def _read(file: UploadFile, limit: int) -> Upload:
    """The same, at once where it lies in memory: a thread for it would cost more than that."""
    await file.seek(0)
    return _named(file, await file.read(limit + 1), limit)


def _named(file: UploadFile, data: bytes, limit: int) -> Upload:
    if len(data) > limit:
        raise UploadTooLarge(limit)
    return Upload(data, PurePosixPath(file.filename or "").name or None)


def _require_sent(number: int, count: int) -> None:
    if number >= count:
        raise InvalidQuestion(
            f"Upload {number} is asked with, but {count} pictures were sent, counted from 0."
        )


def require_alone(*single: object) -> None:
    """Raises InvalidQuestion where a field of a single picture is given beside a list of several."""
    if any(each is not None for each in single):
        raise InvalidQuestion(
            "Several pictures are told in queries: leave out the fields of a single one beside it."
        )


def several(queries: Sequence[QueryJson], upload: Callable[[int], Upload]) -> Asked:
    """What the list asks with; raises InvalidQuestion."""
    if not queries:
        raise InvalidQuestion("The list of queries is empty: name one picture at least.")
    return Several(tuple(Weighted(picture(each, upload), each.weight) for each in queries))


def picture(
    asked: PictureJson,
    upload: Callable[[int], Upload],
    *,
    fields: str = "upload, image_id",
) -> Whole | Part:
    """The picture that this names, or a part of it; raises InvalidQuestion unless exactly one is named."""
    named: list[Whole] = []
    if asked.upload is not None:
        named.append(upload(asked.upload))
    if asked.image_id is not None:
        named.append(Stored(asked.image_id))
    if asked.image_url is not None:
        named.append(Linked(asked.image_url))
    if asked.query_id is not None:
        named.append(KeptUpload(asked.query_id))
    if len(named) != 1:
        raise InvalidQuestion(
            f"Ask with one of {fields}, one of the web as image_url or a kept one as query_id."
        )
    return part(named[0], asked.crop, asked.masked)


def part(whole: Whole, crop: str | None, masked: Sequence[str] | None) -> Whole | Part:
    """The part of the picture that the texts name, or all of it; raises InvalidQuestion."""
    region, left_out = Region.parse(crop) if crop else None, regions(masked)
    return Part(whole, region, left_out) if region or left_out else whole
