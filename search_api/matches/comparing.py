"""One query against many pictures: each content is embedded once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from gallery.sources.scanning import checksum
from search_api.queries.subjects import Asked, Subject, Upload
from search_api.schemas.search import CompareResponse
from search_api.stopwatch import Stopwatch

AskedOne = TypeVar("AskedOne", bound=Asked)


def compare_each(
    query: AskedOne,
    images: Sequence[AskedOne],
    *,
    embed: Callable[[AskedOne, Stopwatch], Subject],
    answer: Callable[[AskedOne, Subject, Subject, Stopwatch], CompareResponse],
) -> list[CompareResponse]:
    """The answers to the query with each of the images, in their order.

    The first one's time is that of the query, too.
    """
    clock = Stopwatch()
    asked = embed(query, clock)
    uploaded = {asked.checksum: asked} if asked.upload and not asked.cut else {}
    answers = []
    for image in images:
        other = _uploaded_before(image, uploaded) or embed(image, clock)
        if other.upload and not other.cut:
            uploaded[other.checksum] = other
        answers.append(answer(image, asked, other, clock))
        clock = Stopwatch()
    return answers


def _uploaded_before(image: Asked, uploaded: dict[str, Subject]) -> Subject | None:
    """The same bytes sent before, under this one's name."""
    known = uploaded.get(checksum(image.data)) if isinstance(image, Upload) else None
    return replace(known, uri=image.uri) if known and isinstance(image, Upload) else None
