"""What the routes that manage galleries share: the board of jobs, the limits, and who is asking."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, cast

from fastapi import Depends, Request, Response

from gallery.amending import Said
from gallery.clock import utc_now
from gallery.errors import GalleryLocked, GalleryNotFound
from gallery.filters.attributes import MAX_COLUMNS, MAX_NAME, MAX_TEXT, is_storable
from gallery.galleries import Galleries
from gallery.jobs.board import JobBoard
from gallery.jobs.job import Job
from gallery.jobs.requests import EncoderWish
from gallery.settings import UploadSettings
from gallery.site import Site
from gallery.sources.allowed import AllowedSources
from search_api.answers.jobs import job_schema
from search_api.errors import InvalidQuestion
from search_api.loaded.encoder_list import checkpoint_named
from search_api.schemas.jobs import EncoderWishSchema, JobSchema
from search_api.visits import visit_of


@dataclass(frozen=True, slots=True)
class Managing:
    """What may be managed over HTTP: `encoders` is a folder of checkpoints that new galleries may choose."""

    galleries: Galleries
    allowed: AllowedSources = field(default_factory=lambda: AllowedSources(()))
    uploads: UploadSettings = field(default_factory=UploadSettings)
    encoders: Path | None = None

    @property
    def board(self) -> JobBoard:
        """Where jobs are asked for."""
        return JobBoard(self.galleries.engine)

    def writable(self, name: str) -> Site:
        """The gallery, to be given something; raises GalleryNotFound and WriteToDoomed."""
        site = self.galleries.site(name)
        self.board.require_kept(name)
        return site

    @contextmanager
    def writable_or_new(self, name: str) -> Iterator[Site]:
        """The same, made where it is missing; a new one that the block raises from goes again.

        Raises InvalidGalleryName and WriteToDoomed.
        """
        self.board.require_kept(name)  # a deletion that was killed goes on by the name
        with ExitStack() as stack:
            try:
                site = self.writable(name)
            except GalleryNotFound:
                site = self._begun(name, stack)
            yield site

    def encoder(self, wish: EncoderWishSchema) -> EncoderWish:
        """The wish as a job keeps it; raises EncoderNotFound and InvalidQuestion."""
        if wish.name is not None and (wish.body is not None or wish.weights is not None):
            raise InvalidQuestion(f"The encoder {wish.name!r} has its own body and weights; name either.")
        if wish.name is None:
            return EncoderWish(body=wish.body, weights=wish.weights)
        return EncoderWish(checkpoint=str(checkpoint_named(wish.name, self.galleries, self.encoders)))

    def _begun(self, name: str, stack: ExitStack) -> Site:
        try:
            return stack.enter_context(self.galleries.tenure(name, create=True)).site
        except GalleryLocked:  # another request has just made it
            return self.galleries.site(name)


async def _managing(request: Request) -> Managing:
    return cast(Managing, request.app.state.managing)


async def said_now(request: Request) -> Said:
    """Who asks, by the name of the key, and that it is now."""
    key = visit_of(request.scope).key
    return Said(key.name if key else None, utc_now())


Manages = Annotated[Managing, Depends(_managing)]
Saying = Annotated[Said, Depends(said_now)]


def accepted(response: Response, job: Job) -> JobSchema:
    """The job that was asked for, and where it will be found."""
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return job_schema(job)


def required_label(label: str | None) -> str | None:
    """A label that any database keeps; raises InvalidQuestion."""
    if label is not None and (not label.strip() or not is_storable(label) or len(label) > MAX_TEXT):
        raise InvalidQuestion(f"{label[:50]!r} is no label: use 1 to {MAX_TEXT} characters, and no NUL.")
    return label


def required_attributes(attributes: Mapping[str, str | None]) -> dict[str, str | None]:
    """Attributes that any database keeps; raises InvalidQuestion."""
    if len(attributes) > MAX_COLUMNS:
        raise InvalidQuestion(f"An image has at most {MAX_COLUMNS} attributes, not {len(attributes)}.")
    for name, text in attributes.items():
        if not name.strip() or len(name) > MAX_NAME or not is_storable(name):
            raise InvalidQuestion(f"{name[:50]!r} names no attribute: use 1 to {MAX_NAME} characters.")
        if text is not None and (not text.strip() or len(text) > MAX_TEXT or not is_storable(text)):
            raise InvalidQuestion(f"The attribute {name!r} must have 1 to {MAX_TEXT} characters, and no NUL.")
    return dict(attributes)
