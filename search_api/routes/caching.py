"""What a browser may keep: for good where its address names the published build, else if it asks first."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from search_api.routes.asking import GalleryName, NamedBuild

FOREVER = "private, max-age=31536000, immutable"
ASK_FIRST = "private, no-cache"
WHO_ASKS = "Authorization, Cookie"
"""What is kept is given back to nobody else: after signing out, it is asked for again."""
TAG_LENGTH = 32


def tag_of(*parts: object) -> str:
    """An ETag that changes when one of the parts does."""
    text = "\x1f".join(str(part) for part in parts)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:TAG_LENGTH]}"'


@dataclass(frozen=True, slots=True)
class Viewed:
    """What a browser looks at: a gallery, the build that its address names, the tags that it holds."""

    gallery: str | None
    named_build: int | None
    held: frozenset[str]

    def answer(self, tag: str, build: int | None, make: Callable[[], Response]) -> Response:
        """What `make` gives, unless the browser holds it.

        What depends on a build alone never changes where that is named; other answers come with None.
        """
        response = Response(status_code=HTTPStatus.NOT_MODIFIED) if {tag, "*"} & self.held else make()
        response.headers["ETag"] = tag
        response.headers["Vary"] = WHO_ASKS
        response.headers["Cache-Control"] = FOREVER if build and build == self.named_build else ASK_FIRST
        return response


def viewed(request: Request, gallery: str | None, build: int | None) -> Viewed:
    """What a request looks at."""
    tags = request.headers.get("if-none-match", "").split(",")
    return Viewed(gallery, build, frozenset(tag.strip().removeprefix("W/") for tag in tags))


async def _viewing(request: Request, gallery: GalleryName = None, build: NamedBuild = None) -> Viewed:
    return viewed(request, gallery, build)


Viewing = Annotated[Viewed, Depends(_viewing)]
