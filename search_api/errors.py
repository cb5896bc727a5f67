"""What a question can be refused for, and the one table that gives every error of WhyAlike its HTTP face.

SearchError
├── AmbiguousGallery     several galleries are published and the question names none
├── FetchesBusy          as many pictures of the web as may be are being fetched
├── InvalidQuestion      a number or a combination that cannot be answered
├── NoSuchHead           the encoder has no head of the kind that the question needs
├── TrialsBusy           as many pairs as may be are being tested by hiding regions
├── UnknownHost          the request was sent to a name that is not this service's
├── UnknownLabel         the filter names a label that no image has
└── UploadTooLarge       more bytes arrived than one request may hold
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from gallery import errors as of_gallery
from siamese import errors as of_siamese

PROBLEM_PREFIX = "urn:whyalike:problem:"


class SearchError(Exception):
    """Anything that the search refuses; the message is one sentence for people."""


class AmbiguousGallery(SearchError):  # noqa: N818 - named after what it says, like the rest of the tree
    """Several galleries are published and the question names none of them."""

    def __init__(self, choices: Sequence[str]) -> None:
        super().__init__(f"Several galleries are published; name one: {', '.join(sorted(choices))}.")


class FetchesBusy(SearchError):  # noqa: N818
    """As many pictures of the web as may be are being fetched, and none was done in time."""

    def __init__(self, fetches: int) -> None:
        super().__init__(
            f"{fetches} pictures of the web are being fetched for others; ask again in a few seconds."
        )


class InvalidQuestion(SearchError):  # noqa: N818
    """A number out of range or a combination that makes no sense."""


class NoSuchHead(SearchError):  # noqa: N818
    """The encoder has no head of the kind that the question needs."""

    def __init__(self, encoder: str, head: str, reason: str | None = None) -> None:
        why = f" ({reason})" if reason else ""
        super().__init__(
            f"The encoder “{encoder}” has no {head}{why}; "
            "`whyalike train` learns one with the encoder, from labelled images."
        )


class TrialsBusy(SearchError):  # noqa: N818
    """As many pairs as may be are being tested by hiding regions, and none was done in time."""

    def __init__(self) -> None:
        super().__init__("Other pairs are being tested by hiding regions; ask again in a few seconds.")


class UnknownHost(SearchError):  # noqa: N818
    """The request was sent to a name that is not this service's."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"This service answers to no name “{name}”; the setting allowed_hosts says to which it does."
        )


class UnknownLabel(SearchError):  # noqa: N818
    """The filter names a label that no image of the gallery has."""

    def __init__(self, label: str, gallery: str, *, predicted: bool = False) -> None:
        source = ", which the class head gives the query; search without the prefilter" if predicted else ""
        super().__init__(f"No image of the gallery “{gallery}” has the label “{label}”{source}.")


class UploadTooLarge(SearchError):  # noqa: N818
    """More bytes than one request may hold."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"This request may hold at most {max_bytes:,} bytes.")


@dataclass(frozen=True, slots=True)
class Face:
    """How an error looks over HTTP: its status, the last part of its type's URN, its title."""

    status: HTTPStatus
    kind: str
    title: str

    @property
    def type(self) -> str:
        """The problem's type: a URN, the same in all versions."""
        return PROBLEM_PREFIX + self.kind

    @property
    def tells(self) -> bool:
        """Whether the error's message is for the client; that of a fault of the service is for its log."""
        return self.status < HTTPStatus.INTERNAL_SERVER_ERROR


INTERNAL_FAULT = Face(HTTPStatus.INTERNAL_SERVER_ERROR, "internal-fault", "A fault of the service")
INVALID_REQUEST = Face(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", "The request is not understood")
RECORDS_UNAVAILABLE = Face(
    HTTPStatus.SERVICE_UNAVAILABLE, "records-unavailable", "The records cannot be read at the moment"
)

FACES: dict[type[Exception], Face] = {
    AmbiguousGallery: Face(HTTPStatus.UNPROCESSABLE_ENTITY, "ambiguous-gallery", "Which gallery is meant?"),
    FetchesBusy: Face(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "fetches-busy",
        "Other pictures are being fetched; ask again in a while",
    ),
    InvalidQuestion: Face(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-question", "This cannot be answered"),
    NoSuchHead: Face(HTTPStatus.UNPROCESSABLE_ENTITY, "no-such-head", "The encoder has no such head"),
    TrialsBusy: Face(
        HTTPStatus.SERVICE_UNAVAILABLE, "trials-busy", "Other pairs are being tested; ask again in a while"
    ),
    UnknownHost: Face(HTTPStatus.MISDIRECTED_REQUEST, "unknown-host", "Not a name of this service"),
    UnknownLabel: Face(HTTPStatus.UNPROCESSABLE_ENTITY, "unknown-label", "No such label"),
    UploadTooLarge: Face(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "upload-too-large", "The upload is too large"),
    of_gallery.InvalidGalleryName: Face(
        HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-gallery-name", "Not a name of a gallery"
    ),
    of_gallery.InvalidFilter: Face(
        HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-filter", "The condition cannot be answered"
    ),
    of_gallery.FetchRefused: Face(
        HTTPStatus.UNPROCESSABLE_ENTITY, "fetch-refused", "The picture is not fetched"
    ),
    of_gallery.GalleryNotFound: Face(HTTPStatus.NOT_FOUND, "gallery-not-found", "No such gallery"),
    of_gallery.NothingPublished: Face(HTTPStatus.NOT_FOUND, "nothing-published", "Nothing is published yet"),
    of_gallery.BuildNotFound: Face(HTTPStatus.NOT_FOUND, "build-not-found", "No such build"),
    of_gallery.ImageNotFound: Face(HTTPStatus.NOT_FOUND, "image-not-found", "No such image"),
    of_gallery.EncoderMismatch: Face(
        HTTPStatus.CONFLICT, "encoder-mismatch", "The encoder is not the one of the gallery"
    ),
    of_siamese.UnreadableImage: Face(
        HTTPStatus.UNPROCESSABLE_ENTITY, "unreadable-image", "The picture cannot be read"
    ),
    of_siamese.ZeroEmbedding: Face(
        HTTPStatus.UNPROCESSABLE_ENTITY, "zero-embedding", "The picture has nothing to compare"
    ),
    of_siamese.OutOfMemory: Face(
        HTTPStatus.SERVICE_UNAVAILABLE, "out-of-memory", "The device has no memory left"
    ),
    OperationalError: RECORDS_UNAVAILABLE,
    NoConnection: RECORDS_UNAVAILABLE,
}


def face_of(error: BaseException) -> Face:
    """How the error looks; one that the table does not hold is a fault of the service."""
    faces = (FACES[kind] for kind in type(error).__mro__ if kind in FACES)
    return next(faces, INTERNAL_FAULT)
