"""What a question can be refused for, and the one table that gives every error of WhyAlike its HTTP face.

SearchError
├── AmbiguousGallery     several galleries are published and the question names none
├── BuildNotServed       the address names a build that is not the published one
├── InvalidQuestion      a number or a combination that cannot be answered
├── UnknownLabel         the filter names a label that no image has
└── UploadTooLarge       more bytes arrived than one request may hold
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from gallery import errors as of_gallery
from siamese import errors as of_siamese

PROBLEM_PREFIX = "urn:whyalike:problem:"


class SearchError(Exception):
    """Anything that the search refuses."""


class AmbiguousGallery(SearchError):
    """Several galleries are published and the question names none of them."""

    def __init__(self, choices: Sequence[str]) -> None:
        super().__init__(f"Several galleries are published; name one: {', '.join(sorted(choices))}.")


class BuildNotServed(SearchError):
    """The address is for one build, and another one is published."""

    def __init__(self, asked: int, served: int) -> None:
        super().__init__(f"Build {asked} is not the published one; build {served} is.")


class InvalidQuestion(SearchError):
    """A number out of range or a combination that makes no sense."""


class UnknownLabel(SearchError):
    """The filter names a label that no image of the gallery has."""

    def __init__(self, label: str, gallery: str) -> None:
        super().__init__(f"No image of the gallery “{gallery}” has the label “{label}”.")


class UploadTooLarge(SearchError):
    """More bytes than one request may hold."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"The request holds more than {max_bytes:,} bytes, the most that is accepted.")


@dataclass(frozen=True, slots=True)
class Face:
    """How an error looks over HTTP: its status, the last part of its type's URN, its title."""

    status: HTTPStatus
    kind: str
    title: str

    @property
    def type(self) -> str:
        """The problem's type, a URN that does not change between versions."""
        return PROBLEM_PREFIX + self.kind


INTERNAL_FAULT = Face(HTTPStatus.INTERNAL_SERVER_ERROR, "internal-fault", "A fault of the service")
INVALID_REQUEST = Face(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", "The request is not understood")
